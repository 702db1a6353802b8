"""The closed sets of words that records use: states, reasons, kinds."""

from enum import IntEnum, StrEnum


class ConversationState(StrEnum):
    """Who is expected to speak to the customer."""

    OPEN = "open"
    """The assistant answers."""
    ESCALATED = "escalated"
    """A person was asked for; nobody has taken over yet. The assistant may go on answering."""
    WITH_AGENT = "with_agent"
    """An agent has taken over; the assistant is silent."""
    RESOLVED = "resolved"
    """The agent is done; the assistant may answer again."""


class TurnStatus(StrEnum):
    """How an answer came about."""

    COMPLETE = "complete"
    FALLBACK = "fallback"
    """A fixed sentence in place of the model's answer."""
    INTERRUPTED = "interrupted"
    """The engine stopped after part of the answer had been sent."""
    ABANDONED = "abandoned"
    """The customer left before the answer was complete."""


class EscalationReason(StrEnum):
    """Why a conversation was handed to a person."""

    MODEL = "model"
    CUSTOMER = "customer"
    CONFIDENCE = "confidence"
    POLICY = "policy"
    ENGINE = "engine"
    FLAG = "flag"


class EscalationState(StrEnum):
    """How far a person is with an escalation."""

    WAITING = "waiting"
    TAKEN = "taken"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """How an escalation ended."""

    SOLVED = "solved"
    PARTLY_SOLVED = "partly_solved"
    NOT_SOLVED = "not_solved"
    NO_REPLY = "no_reply"
    """The customer did not come back."""
    NOT_NEEDED = "not_needed"
    """No person was needed, or it was no question at all."""
    HANDED_BACK = "handed_back"
    """The assistant goes on; nothing is claimed to be solved."""


class EventKind(StrEnum):
    """What happens in a conversation beside its turns."""

    ESCALATED = "escalated"
    TAKEN = "taken"
    RESOLVED = "resolved"
    HANDED_BACK = "handed_back"
    EDITED = "edited"
    """An agent changed words that were sent before."""
    REMOVED = "removed"
    """An agent took words back."""
    REPEATED = "repeated"
    """Words that no customer had for a while are shown once more."""
    TYPING = "typing"
    """An agent is writing; of no interest a few seconds later."""


class FlagReason(StrEnum):
    """Why an agent marked an answer as bad."""

    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    SHOULD_HAVE_ESCALATED = "should_have_escalated"
    UNSAFE = "unsafe"
    TONE = "tone"
    OUT_OF_DATE = "out_of_date"
    OTHER = "other"


class ExampleSource(StrEnum):
    """What a training example was made from."""

    FLAG = "flag"
    REPLY = "reply"
    IMPORT = "import"
    DOCUMENT = "document"
    """A question and its answer from a document of the team's."""
    ACCEPTED = "accepted"
    """An answer that the customer accepted: replay against forgetting."""
    DECLINED = "declined"
    """An answer that the customer said did not help: no right answer, one that was wrong."""

    @property
    def is_customers_word(self) -> bool:
        """Whether a customer, not the team, said how the answer was; nobody reviews that."""
        return self in (ExampleSource.ACCEPTED, ExampleSource.DECLINED)


class ExampleState(StrEnum):
    """Whether a person approved an example for training."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    """A later flag on the same answer replaced it."""
    WITHDRAWN = "withdrawn"
    """The agent took the flag back that it was made from."""
    ERASED = "erased"
    """Its words were erased with its customer's; only figures count it."""


class RejectReason(StrEnum):
    """Why an example must not train."""

    WRONG = "wrong"
    """The answer that it teaches is not right either."""
    UNCLEAR = "unclear"
    """The question cannot be answered from what was said."""
    PERSONAL_DATA = "personal_data"
    DUPLICATE = "duplicate"
    ONE_OFF = "one_off"
    """Right for this customer, and for no other."""


class VersionState(StrEnum):
    """How far a version has come."""

    TRAINED = "trained"
    EVALUATED = "evaluated"
    CHAMPION = "champion"
    DISCARDED = "discarded"
    """Somebody decided against it; it gets no customers."""
    RETIRED = "retired"
    """Was champion once; can be promoted again."""


class ReleaseAction(StrEnum):
    """What changed the release pointer."""

    INSTALL = "install"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


class ExperimentState(StrEnum):
    """Whether an experiment divides traffic now."""

    RUNNING = "running"
    STOPPED = "stopped"


class AlertKind(StrEnum):
    """Why somebody should look at a running experiment."""

    GUARDRAIL = "guardrail"
    """Something got worse than is allowed."""
    EVIDENCE = "evidence"
    """There is enough of it to decide."""


class DoubtKind(StrEnum):
    """Why an approved example should be looked at again."""

    CONTRADICTION = "contradiction"
    """Another approved example answers nearly the same question otherwise."""
    LABEL_NOISE = "label_noise"
    """What was learned from the others disagrees with it."""


class TrainingMethod(StrEnum):
    """How an adapter is trained."""

    SFT = "sft"
    """On the right answers alone."""
    DPO = "dpo"
    """On pairs of what was corrected and what was flagged."""
    SFT_DPO = "sft_dpo"
    """On the right answers, then on the pairs."""
    KTO = "kto"
    """On answers that customers found helpful or not, without pairs."""
    DOCUMENTS = "documents"
    """On the words of documents, then on the right answers (continued pre-training)."""
    GRPO = "grpo"
    """On the model's own answers, by the scores that evaluation gives them."""


class JobTrigger(StrEnum):
    """What asks for a retraining where nobody does; stands in place of a person."""

    THRESHOLD = "threshold"
    """Enough examples were newly approved."""
    SCHEDULE = "schedule"
    """Its day and time have come."""


class JobState(StrEnum):
    """How far a retraining job is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """What the gate says about a challenger."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class OutboxState(StrEnum):
    """How far a message to Slack is."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Urgency(IntEnum):
    """Which messages to Slack go first where many wait: lower goes first."""

    NOW = 0
    """Somebody acts on it now: an agent's conversation, a job, a report, a change."""
    SOON = 1
    """A customer who waits for a person."""
    LATER = 2
    """One of many: escalations of an engine that fails, reminders."""
    LAST = 3
    """What was said with a customer whom nobody has taken over: each card goes before it."""


class KeyScope(StrEnum):
    """What an API key may do."""

    CUSTOMER = "customer"
    """Talk for customers."""
    AGENT = "agent"
    """Read any conversation and speak in it as a support agent."""
    OPS = "ops"
    """Versions, releases, experiments, explanations."""
    ADMIN = "admin"
    """All of these."""
