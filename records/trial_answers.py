"""What became of questions that colleagues tried: answered, shown in Slack, failed, asked again.

A bot that dies leaves traces here: a question without an answer, or an answer of which nobody
noted where it stands. Both are found again by their age.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from records import audit, conversations, outbox
from records.asking import ANSWER, ASKED, siblings, thread_of
from records.errors import Conflict
from records.messages import Role
from records.outbox import Kind
from records.states import OutboxState, TurnStatus
from records.tables import Audit, Conversation, Flag, OutboxMessage, Turn

_AGAIN = "ask_again"


def answer_of(session: Session, question_id: str) -> Turn | None:
    """The answer to a question, once it is there."""
    return conversations.turn_from(session, f"{ANSWER}{question_id}")


def tokens_before(session: Session, question: Turn) -> int:
    """Of the last prompt with its answer before a question; 0 where that is not known."""
    before = conversations.history(session, question.conversation_id)
    counted = [t for t in before if t.position < question.position and t.prompt_tokens]
    if not counted:
        return 0
    return (counted[-1].prompt_tokens or 0) + (counted[-1].completion_tokens or 0)


def question_of(session: Session, answer: Turn) -> Turn:
    """The question that an answer answers."""
    return conversations.turn(session, (answer.source_key or "").removeprefix(ANSWER))


def answer(session: Session, question_id: str, **made: Any) -> tuple[Turn, bool]:
    """Record what a version said, and whether that is news; `made` are columns of the turn."""
    question = conversations.turn(session, question_id)
    conversations.lock(session, [question.conversation_id])
    known = answer_of(session, question_id)
    if known is not None:
        return known, False
    turn = Turn(
        conversation_id=question.conversation_id,
        position=question.position + 1,
        role=Role.ASSISTANT,
        source_key=f"{ANSWER}{question_id}",
        status=TurnStatus.COMPLETE,
        **made,
    )
    session.add(turn)
    session.flush()
    return turn, True


def show(session: Session, turn_id: str, *, state: OutboxState, ts: str | None = None) -> None:
    """Note where an answer stands (`SENT`), or let the outbox see to it that it does.

    `SENDING` looks in Slack first. Doing it twice is doing it once. Where all that were asked have
    answered, the asker is asked which is better.
    """
    turn = conversations.turn(session, turn_id)
    question = question_of(session, turn)
    outbox.put(session, Kind.TURN_ADDED, turn_id, revision="trial", **_place(question))
    row = session.scalars(
        select(OutboxMessage).where(OutboxMessage.key == shown_key(turn_id))
    ).one()
    if row.state is OutboxState.PENDING and row.attempts == 0:
        row.created_at = question.created_at  # from when on it is looked for in Slack
        row.state = state
        if state is OutboxState.SENT:
            outbox.mark_sent(session, row.id, channel=row.payload["channel"], ts=ts)
            _catch_up(session, turn_id)
    _offer_comparison(session, question)


def _catch_up(session: Session, turn_id: str) -> None:
    """Bring a message up to date of which something was said before it was known to stand there."""
    flagged = exists().where(Flag.turn_id == turn_id)
    said = exists().where(Audit.subject == turn_id)
    if session.scalar(select(flagged | said)):
        outbox.put(session, Kind.TURN_CHANGED, turn_id, revision="shown")


def _offer_comparison(session: Session, question: Turn) -> None:
    asked = siblings(session, question)
    answers = [answer_of(session, one.id) for one in asked]
    shown = [answer for answer in answers if answer is not None and _is_shown(session, answer)]
    if len(asked) == len(shown) > 1:
        outbox.put(session, Kind.COMPARISON_READY, asked[0].id, **_place(question))


def _is_shown(session: Session, answer: Turn) -> bool:
    known = select(OutboxMessage.id).where(OutboxMessage.key == shown_key(answer.id))
    return session.scalar(known) is not None


def shown_key(turn_id: str) -> str:
    """The key of the outbox row that an answer's message carries."""
    return f"{Kind.TURN_ADDED}:{turn_id}:trial"


def _place(question: Turn) -> dict[str, Any]:
    thread = thread_of(question)
    return {"channel": thread.channel, "thread_ts": thread.ts}


def fail(session: Session, question_id: str, *, reason: str) -> None:
    """Tell the asker, once for each time of asking, that there is no answer, and why."""
    question = conversations.turn(session, question_id)
    if answer_of(session, question_id) is None:
        times = _times_asked(session, question_id)
        outbox.put(
            session,
            Kind.QUESTION_UNANSWERED,
            question_id,
            revision=times,
            times=times,
            reason=reason,
            **_place(question),
        )


def _times_asked(session: Session, question_id: str) -> int:
    query = select(func.count()).where(Audit.subject == question_id, Audit.action == _AGAIN)
    return session.scalar(query) or 0


def ask_again(session: Session, question_id: str, *, user: str) -> Turn:
    """Have a question asked once more that was not answered.

    Raises:
        Conflict: it is answered, or being asked.
    """
    question = conversations.turn(session, question_id)
    conversations.lock(session, [question.conversation_id])
    times = _times_asked(session, question_id)
    failed = f"{Kind.QUESTION_UNANSWERED}:{question_id}:{times}"
    known = session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == failed))
    if known is None or answer_of(session, question_id) is not None:
        raise Conflict("This is being asked again already.")
    audit.note(session, actor=user, action=_AGAIN, subject=question_id)
    outbox.put(session, Kind.QUESTION_UNANSWERED_CHANGED, question_id, revision=times)
    return question


def asked_again_by(session: Session, question_id: str, *, times: int) -> str | None:
    """Who asked once more, after a question had failed so many times before."""
    query = (
        select(Audit.actor)
        .where(Audit.subject == question_id, Audit.action == _AGAIN)
        .order_by(Audit.id)
        .offset(times)
        .limit(1)
    )
    return session.scalar(query)


def lost(session: Session, *, since: datetime, before: datetime) -> list[str]:
    """Questions asked in that time of which nothing was heard: their bot is gone."""
    reply = aliased(Turn)
    questions = session.scalars(
        select(Turn)
        .join(Conversation)
        .where(
            Conversation.trial,
            Turn.source_key.startswith(ASKED),
            Turn.created_at > since,
            Turn.created_at < before,
            ~exists().where(reply.source_key == ANSWER + Turn.id),
        )
    )
    return [turn.id for turn in questions if not _is_heard_of(session, turn, before=before)]


def _is_heard_of(session: Session, question: Turn, *, before: datetime) -> bool:
    """Whether its failure is told, or it was asked again a moment ago."""
    times = _times_asked(session, question.id)
    failed = f"{Kind.QUESTION_UNANSWERED}:{question.id}:{times}"
    if session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == failed)) is not None:
        return True
    last = session.scalar(
        select(func.max(Audit.created_at)).where(
            Audit.subject == question.id, Audit.action == _AGAIN
        )
    )
    return last is not None and last >= before


def unshown(session: Session, *, since: datetime, before: datetime) -> list[str]:
    """Answers given in that time of which nobody noted where they stand."""
    return list(
        session.scalars(
            select(Turn.id)
            .join(Conversation)
            .where(
                Conversation.trial,
                Turn.source_key.startswith(ANSWER),
                Turn.created_at > since,
                Turn.created_at < before,
                ~exists().where(
                    OutboxMessage.kind == Kind.TURN_ADDED, OutboxMessage.subject == Turn.id
                ),
            )
        )
    )
