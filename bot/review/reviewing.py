"""Deciding on examples for a person: rights and state are checked at that moment.

The buttons of cards and of App Home lead here alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from bot.incoming.deliveries import first_time
from records import examples
from records.assistant import Assistant
from records.errors import Conflict, Forbidden
from records.review import teaches_the_same
from records.states import RejectReason
from records.tables import Example


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who wants to decide; `client` speaks for their workspace."""

    client: AsyncWebClient
    user: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An example as a person saw it."""

    example: str
    fingerprint: str


async def allowed(desk: Desk, reviewer: Reviewer, example_id: str) -> Assistant:
    """The assistant of an example that a person may decide on.

    Raises:
        NotFound: no such example, or its assistant is gone.
        Forbidden: the person is no reviewer of it.
    """
    example = await desk.read(lambda session: examples.get(session, example_id))
    assistant = desk.assistant(example.assistant)
    await desk.roles.require_reviewer(reviewer.client, assistant, reviewer.user)
    return assistant


async def decide(
    desk: Desk,
    reviewer: Reviewer,
    example_id: str,
    *,
    approve: bool,
    hand_over: bool | None = None,
    note: str | None = None,
    seen: str | None = None,
) -> Example:
    """Approve or reject an example; `seen` is the fingerprint of what the person saw of it.

    Raises:
        NotFound, Forbidden: see `allowed`; also where four eyes are wanted.
        Conflict: it was decided otherwise, or replaced.
    """
    assistant = await allowed(desk, reviewer, example_id)
    return await desk.write(
        lambda session: examples.decide(
            session,
            example_id,
            approve=approve,
            actor=reviewer.user,
            should_escalate=hand_over,
            note=note,
            four_eyes=assistant.slack.four_eyes,
            seen=seen,
        )
    )


async def edit(
    desk: Desk,
    reviewer: Reviewer,
    example_id: str,
    *,
    chosen: str,
    should_escalate: bool,
    once: str,
    seen: str | None = None,
) -> Example:
    """Change what an example teaches, and approve it where that does not want other eyes.

    However often `once` is delivered, it is done once.

    Raises:
        NotFound, Forbidden, Conflict: see `decide`.
        InvalidInput: it would teach nothing.
    """
    assistant = await allowed(desk, reviewer, example_id)
    user, four_eyes = reviewer.user, assistant.slack.four_eyes

    def work(session: Session) -> Example:
        if not first_time(session, once):
            return examples.get(session, example_id)
        example = examples.edit(
            session,
            example_id,
            chosen=chosen,
            should_escalate=should_escalate,
            actor=user,
            seen=seen,
        )
        if four_eyes:
            return example
        return examples.decide(session, example_id, approve=True, actor=user)

    return await desk.write(work)


async def approve_all(
    desk: Desk, reviewer: Reviewer, example_ids: Sequence[str], *, seen: str
) -> int:
    """Approve examples with the same right answer as the first; returns how many.

    `seen` is the first one's fingerprint. Others that changed since then are left alone.

    Raises:
        NotFound, Forbidden, Conflict: see `decide`; the first one counts.
    """
    assistant = await allowed(desk, reviewer, example_ids[0])
    four_eyes = assistant.slack.four_eyes

    def work(session: Session) -> int:
        ids = sorted(set(example_ids))  # locked in one order: two who approve never wait in a ring
        locked = {name: examples.get(session, name, lock=True) for name in ids}
        first = locked[example_ids[0]]
        examples.require_seen(first, seen)
        alike = [one for one in locked.values() if _is_like(one, first)]
        return sum(_approved(session, one, reviewer.user, four_eyes=four_eyes) for one in alike)

    return await desk.write(work)


async def settle(desk: Desk, reviewer: Reviewer, right: Seen, wrong: Seen) -> Example:
    """Approve one of two examples that contradict each other and reject the other, or neither.

    Raises:
        NotFound, Forbidden, Conflict: see `decide`; also where they are of two assistants.
    """
    assistant = await allowed(desk, reviewer, right.example)
    four_eyes, actor = assistant.slack.four_eyes, reviewer.user

    def work(session: Session) -> Example:
        ids = sorted((right.example, wrong.example))  # see `approve_all`
        locked = {name: examples.get(session, name, lock=True) for name in ids}
        if len({example.assistant for example in locked.values()}) > 1:
            raise Conflict(wording.review.OTHER_ASSISTANT)
        examples.require_seen(locked[wrong.example], wrong.fingerprint)
        note = str(RejectReason.WRONG)
        examples.decide(session, wrong.example, approve=False, actor=actor, note=note)
        return examples.decide(
            session,
            right.example,
            approve=True,
            actor=actor,
            four_eyes=four_eyes,
            seen=right.fingerprint,
        )

    return await desk.write(work)


def _is_like(example: Example, first: Example) -> bool:
    return example.assistant == first.assistant and teaches_the_same(example, first)


def _approved(session: Session, example: Example, actor: str, *, four_eyes: bool) -> bool:
    try:
        examples.decide(session, example.id, approve=True, actor=actor, four_eyes=four_eyes)
    except (Conflict, Forbidden):
        return False
    return True


async def reopen(desk: Desk, reviewer: Reviewer, example_id: str) -> Example:
    """Take a decision of one's own back.

    Raises:
        NotFound, Forbidden: see `allowed`; also where somebody else decided.
        Conflict: there is nothing to take back, or it trained already.
    """
    await allowed(desk, reviewer, example_id)
    return await desk.write(
        lambda session: examples.reopen(session, example_id, actor=reviewer.user)
    )
