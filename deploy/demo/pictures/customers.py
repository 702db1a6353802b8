"""What customers do, recorded as the gateway records it."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from deploy.demo.pictures.office import Office
from records import conversations, delivery, escalations
from records.conversations import Arrival
from records.handoff import without_marker
from records.ids import new_id, utc_now
from records.messages import Role
from records.states import EscalationReason
from records.tables import Escalation, Turn

_TOOK_MS = 640.0


@dataclass
class Customer:
    """Somebody at the bank's chat, with one conversation."""

    office: Office
    name: str
    conversation: str = field(default_factory=lambda: new_id("conv"))
    escalation: str = ""
    question: str = ""
    """What they asked first."""

    def ask(self, question: str) -> None:
        """Ask, and be answered by the version that serves."""
        self.question = question
        said = self.office.bank.answer(self.office.assistant.base_version, question)
        is_handover, words = without_marker(said, marker=self.office.assistant.handoff_marker)
        with self.office.database.write() as session:
            conversations.receive(session, self._arrival(question))
            answer = conversations.add_turn(session, self._answer(words, is_handover=is_handover))
            if is_handover:
                cause = f"{self.office.assistant.base_version} asked for a person."
                self._escalate(session, EscalationReason.MODEL, cause, answer.id)

    def want_a_person(self, words: str) -> None:
        """Ask for a person instead."""
        sentence = self.office.assistant.handoff_sentence
        with self.office.database.write() as session:
            last = conversations.last_turn(session, self.conversation)
            conversations.receive(session, self._arrival(words))
            answer = self._answer(sentence, is_handover=True)
            answer.version = None
            conversations.add_turn(session, answer)
            cause = f"The customer asked for a person (“{words}”)."
            self._escalate(session, EscalationReason.CUSTOMER, cause, last.id if last else None)

    def write(self, words: str) -> None:
        """Write to the agent who has taken over."""
        with self.office.database.write() as session:
            conversations.receive(session, self._arrival(words))

    def read(self) -> None:
        """Have all that was said, as a stream or poll brings it."""
        with self.office.database.write() as session:
            last = conversations.last_turn(session, self.conversation)
            if last is not None:
                delivery.note(session, {self.conversation: last.position}, at=utc_now())

    def has_waited(self, minutes: float) -> None:
        """Let everything in this conversation have happened so much earlier."""
        earlier = timedelta(minutes=minutes)
        with self.office.database.write() as session:
            for turn in conversations.history(session, self.conversation):
                turn.created_at -= earlier
            known = session.get(Escalation, self.escalation)
            if known is not None:
                known.opened_at -= earlier
                known.taken_at = known.taken_at and known.taken_at - earlier

    def _arrival(self, words: str) -> Arrival:
        return Arrival(
            assistant=self.office.assistant.name,
            conversation_id=self.conversation,
            content=words,
            customer=self.name,
            version=self.office.assistant.base_version,
        )

    def _answer(self, words: str, *, is_handover: bool) -> Turn:
        return Turn(
            conversation_id=self.conversation,
            role=Role.ASSISTANT,
            content=words,
            version=self.office.assistant.base_version,
            handed_over=is_handover,
            duration_ms=_TOOK_MS,
            completion_tokens=len(words.split()),
            mean_logprob=-0.06,
        )

    def _escalate(
        self, session: Session, reason: EscalationReason, cause: str, turn: str | None
    ) -> None:
        opened = escalations.escalate(
            session, self.conversation, reason=reason, cause=cause, turn_id=turn
        )
        self.escalation = opened.id
