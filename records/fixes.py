"""Whether versions answer rightly now what was flagged, and who is told of it."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from records import flags, outbox
from records.errors import NotFound
from records.states import ExampleState, ReleaseAction, Urgency
from records.tables import Conversation, Example, Fix, Flag, Release, Turn


def candidates(session: Session, assistant: str, *, most: int) -> Sequence[Example]:
    """Approved examples of flags that stand, the newest first: what a version should know now."""
    return session.scalars(
        select(Example)
        .join(Flag, Example.flag_id == Flag.id)
        .where(
            Example.assistant == assistant,
            Example.state == ExampleState.APPROVED,
            flags.stands(),
        )
        .order_by(Example.id.desc())
        .limit(most)
    ).all()


def record(
    session: Session, flag_id: str, *, version: str, answer: str, handed_over: bool, fixed: bool
) -> Fix:
    """Note what a version says to the question of a flagged answer; saying it again replaces it.

    Raises:
        NotFound: no such flag.
    """
    flags.get(session, flag_id)
    fix = session.get(Fix, (flag_id, version))
    if fix is None:
        fix = Fix(flag_id=flag_id, version=version)
        session.add(fix)
    fix.answer, fix.handed_over, fix.fixed = answer, handed_over, fixed
    session.flush()
    return fix


def get(session: Session, flag_id: str, *, version: str) -> Fix:
    """What a version says to the question of a flagged answer.

    Raises:
        NotFound: it was not asked.
    """
    found = session.get(Fix, (flag_id, version))
    if found is None:
        raise NotFound(f"{version} was not asked the question of flag {flag_id!r}.")
    return found


def of_version(session: Session, version: str) -> list[Fix]:
    """What a version says to the questions of flagged answers, in the order of the flags."""
    return list(session.scalars(select(Fix).where(Fix.version == version).order_by(Fix.flag_id)))


def tell_fixed(session: Session, version: str, *, release: str) -> None:
    """Put a receipt for each flag that stands, that a version fixes, and that nobody was told of.

    To be called when the version was promoted. Who tells looks whether it still is champion then,
    and whether another receipt came first.
    """
    fixed = session.scalars(
        select(Flag)
        .join(Fix, Fix.flag_id == Flag.id)
        .where(Fix.version == version, Fix.fixed, flags.stands())
        .order_by(Flag.id)
    ).all()
    for flag in fixed:
        if not is_told(session, flag.id):
            outbox.put(
                session,
                outbox.Kind.FLAG_FIXED,
                flag.id,
                revision=release,
                urgency=Urgency.LATER,
                version=version,
            )


def is_told(session: Session, flag_id: str) -> bool:
    """Whether a receipt for a flag stands in Slack: there is one per flag, ever."""
    return bool(outbox.shown(session, outbox.Kind.FLAG_FIXED, flag_id))


def median_seconds_to_fix(session: Session, assistant: str) -> float | None:
    """Median time from an agent's first flag on an answer to the release that fixed it.

    None where nothing was fixed yet.
    """
    rows = session.execute(_fixed(assistant)).all()
    spans = [(released - flagged).total_seconds() for _, flagged, released in rows]
    return median(max(0.0, span) for span in spans) if spans else None


def _fixed(assistant: str) -> "Select[str, datetime, datetime]":
    """Flags that were fixed, when the agent first flagged the answer, when the fix was released."""
    first = aliased(Flag)
    flagged_at = (
        select(func.min(first.created_at))
        .where(first.turn_id == Flag.turn_id, first.agent == Flag.agent)
        .correlate(Flag)
        .scalar_subquery()
    )
    return (
        select(Flag.id, flagged_at, func.min(Release.created_at))
        .join(Fix, Fix.flag_id == Flag.id)
        .join(Release, Release.version == Fix.version)
        .join(Turn, Flag.turn_id == Turn.id)
        .join(Conversation, Turn.conversation_id == Conversation.id)
        .where(
            Conversation.assistant == assistant,
            Fix.fixed,
            Release.action == ReleaseAction.PROMOTE,
        )
        .group_by(Flag.id, Flag.turn_id, Flag.agent)
    )
