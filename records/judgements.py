"""What colleagues say of answers that they tried: good ones, and which of two is better.

It stands in the audit only. No customer said it, so it is no outcome and counts in no metric.
"""

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, conversations, outbox
from records.asking import ASKED, siblings
from records.errors import Conflict, NotFound
from records.outbox import Kind
from records.tables import Audit, Turn
from records.trial_answers import answer_of

_LIKED = "like_answer"
_JUDGED = "compare_answers"


class Better(StrEnum):
    """How two answers compare, by the order in which they were shown."""

    FIRST = "first"
    SECOND = "second"
    BOTH_GOOD = "both_good"
    BOTH_BAD = "both_bad"


def like(session: Session, turn_id: str, *, user: str) -> None:
    """Note that a colleague finds an answer good. It is no customer's outcome.

    Doing it twice is doing it once.
    """
    turn = conversations.turn(session, turn_id)
    conversations.lock(session, [turn.conversation_id])
    if user not in liked_by(session, turn_id):
        audit.note(session, actor=user, action=_LIKED, subject=turn_id)
        outbox.put(session, Kind.TURN_CHANGED, turn_id, revision=f"liked:{user}")


def liked_by(session: Session, turn_id: str) -> list[str]:
    """Who finds an answer good."""
    query = select(Audit.actor).where(Audit.subject == turn_id, Audit.action == _LIKED)
    return list(session.scalars(query.order_by(Audit.id)))


def judge(session: Session, question_id: str, better: Better, *, user: str) -> None:
    """Note which of two answers is better; the first judgement counts. Names are shown after it.

    Raises:
        NotFound: nothing was compared there.
        Conflict: somebody has judged already.
    """
    question = conversations.turn(session, question_id)
    conversations.lock(session, [question.conversation_id])
    asked = siblings(session, question)
    answers = [found for one in asked if (found := answer_of(session, one.id)) is not None]
    if len(answers) != 2:
        raise NotFound("There are no two answers to compare.")
    known = judgement(session, question)
    if known is not None and known.actor != user:
        raise Conflict(f"<@{known.actor}> has judged this already.")
    if known is not None:
        return
    versions = [str(one.version) for one in answers]
    audit.note(
        session,
        actor=user,
        action=_JUDGED,
        subject=asked[0].id,
        better=better,
        versions=versions,
        turns=[one.id for one in answers],
    )
    outbox.put(session, Kind.COMPARISON_CHANGED, asked[0].id)
    for one in answers:
        outbox.put(session, Kind.TURN_CHANGED, one.id, revision="judged")


def judgement(session: Session, question: Turn) -> Audit | None:
    """What was said of the answers to a question's message."""
    first = siblings(session, question)[0]
    query = select(Audit).where(Audit.subject == first.id, Audit.action == _JUDGED)
    return session.scalar(query.limit(1))


def is_blind(session: Session, question: Turn) -> bool:
    """Whether nobody may see yet which version answers: two do, and none was judged in the thread.

    Once a judgement has told their names, later questions of the thread hide nothing any more.
    """
    asked = siblings(session, question)
    if len(asked) < 2:
        return False
    earlier = select(Turn.id).where(
        Turn.conversation_id.in_([one.conversation_id for one in asked]),
        Turn.source_key.startswith(ASKED),
        Turn.position <= question.position,
    )
    judged = select(Audit.id).where(Audit.action == _JUDGED, Audit.subject.in_(earlier))
    return session.scalar(judged.limit(1)) is None
