"""What follows an answer that is durable: it is counted, logged, shown to streams and shadowed."""

from dataclasses import dataclass

from records.states import TurnStatus
from serving import request_record
from serving.draft import Draft
from serving.event_feed import Feed
from serving.last_known import LastKnown
from serving.metrics import Metrics
from serving.shadowing import Shadowing
from serving.turn_log import Recorded


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Tells all who follow answers; to be called with each."""

    metrics: Metrics
    feed: Feed
    shadowing: Shadowing
    last_known: LastKnown | None = None

    def __call__(self, draft: Draft, recorded: Recorded) -> None:
        """An answer is recorded."""
        dialogue = draft.dialogue
        assistant, version = dialogue.assistant.name, draft.version
        arm = dialogue.choice.arm if version else None
        usage = draft.usage or {}
        self.metrics.answered(
            assistant=assistant,
            version=version,
            arm=arm,
            status=draft.status,
            first_token_ms=draft.first_token_ms,
            duration_ms=draft.duration_ms,
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
        )
        if draft.reason is not None:
            self.metrics.escalated(
                assistant=assistant, reason=draft.reason, version=version, arm=arm
            )
        self._note(draft, recorded, arm=arm)
        if self.last_known is not None:
            self.last_known.answered(draft, recorded)
        self.feed.wrote(recorded.conversation_id)
        if version is not None and draft.status is not TurnStatus.ABANDONED:
            self.shadowing.consider(dialogue, draft.turn_id)

    def _note(self, draft: Draft, recorded: Recorded, *, arm: str | None) -> None:
        """Complete the request's line in the log."""
        record = request_record.current.get()
        if record is None:
            return
        record.conversation, record.turn = recorded.conversation_id, draft.turn_id
        record.version, record.arm = draft.version, arm
        record.answer = draft.status
        record.first_token_ms = draft.first_token_ms
        record.escalated = draft.reason
