"""Messages about what agents try in Slack: answers, comparisons, questions without an answer."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.messages.area import Area, Telling
from bot.outbox.rendered import Post, Rendered
from bot.releases.naming import names_of
from bot.views.content import Content
from bot.views.trial_answer import AnswerShown, answer_message, heading
from bot.views.trial_comparison import ComparisonShown, comparison_message, unanswered_message
from records import asking, conversations, drafts, flags, judgements, trial_answers
from records.judgements import Better
from records.outbox import Kind
from records.tables import OutboxMessage, Turn


def answer_shown(session: Session, desk: Desk, turn: Turn) -> AnswerShown:
    """What is known of an answer on trial."""
    question = trial_answers.question_of(session, turn)
    conversation = conversations.get(session, turn.conversation_id)
    wanted = desk.assistant(conversation.assistant).escalation
    return AnswerShown(
        turn,
        number=_number(session, question),
        blind=judgements.is_blind(session, question),
        least=wanted.min_confidence,
        flags=flags.standing(session, turn.id),
        liked_by=judgements.liked_by(session, turn.id),
        is_draft=asking.about(session, question) is not None,
        sent_by=drafts.sent_by(session, turn.id),
        sent_words=drafts.edited_words(session, turn),
        names=names_of(session, conversation.assistant),
        has_rules=bool(wanted.phrases or wanted.rules),
    )


def trial_heading(session: Session, question: Turn) -> str:
    """What stands above the answer to a question."""
    is_draft = asking.about(session, question) is not None
    return heading(number=_number(session, question), is_draft=is_draft)


def _number(session: Session, question: Turn) -> int | None:
    asked = [one.id for one in asking.siblings(session, question)]
    return asked.index(question.id) + 1 if len(asked) > 1 else None


def is_trial(session: Session, turn_id: str) -> bool:
    """Whether a turn is of a conversation with a colleague."""
    turn = conversations.turn(session, turn_id)
    return conversations.get(session, turn.conversation_id).trial


def trial_turn(tell: Telling) -> Content:
    """The message of an answer on trial."""
    turn = conversations.turn(tell.session, tell.row.subject)
    return answer_message(answer_shown(tell.session, tell.desk, turn))


def in_its_thread(tell: Telling, made: Content) -> Post:
    """A message in the thread that a row names."""
    payload = tell.row.payload
    return Post(payload["channel"], made, thread_ts=payload["thread_ts"])


def _comparison(tell: Telling) -> Content:
    session = tell.session
    question = conversations.turn(session, tell.row.subject)
    asked = asking.siblings(session, question)
    first, second = (str(conversations.get(session, one.conversation_id).version) for one in asked)
    judged = judgements.judgement(session, question)
    assistant = conversations.get(session, question.conversation_id).assistant
    return comparison_message(
        ComparisonShown(
            asked[0].id,
            (first, second),
            names=names_of(session, assistant),
            blind=judgements.is_blind(session, question),
            same=_is_one_answer(session, asked),
            better=Better(judged.detail["better"]) if judged else None,
            judged_by=judged.actor if judged else "",
        )
    )


def _is_one_answer(session: Session, asked: Sequence[Turn]) -> bool:
    """Whether all answers are in the same words, and hand over alike."""
    answers = [trial_answers.answer_of(session, question.id) for question in asked]
    return len({(" ".join(a.content.split()), bool(a.handed_over)) for a in answers if a}) == 1


def _unanswered(tell: Telling) -> Content:
    session = tell.session
    question = conversations.turn(session, tell.row.subject)
    failures = select(OutboxMessage).where(
        OutboxMessage.kind == Kind.QUESTION_UNANSWERED, OutboxMessage.subject == question.id
    )
    newest = session.scalars(failures.order_by(OutboxMessage.id.desc())).first()
    assert newest is not None  # whatever is rendered here began with one
    return unanswered_message(
        question,
        reason=str(newest.payload["reason"]),
        number=_number(session, question),
        again_by=trial_answers.asked_again_by(
            session, question.id, times=int(newest.payload["times"])
        ),
    )


def _post_comparison(tell: Telling) -> Rendered:
    return in_its_thread(tell, _comparison(tell))


def _post_unanswered(tell: Telling) -> Rendered:
    return in_its_thread(tell, _unanswered(tell))


AREA = Area(
    contents={Kind.COMPARISON_READY: _comparison, Kind.QUESTION_UNANSWERED: _unanswered},
    renders={Kind.COMPARISON_READY: _post_comparison, Kind.QUESTION_UNANSWERED: _post_unanswered},
)
