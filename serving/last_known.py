"""What this process last knew of conversations, for times when the database can't be asked.

Kept only where turns are spooled then. It may be old: another process may have answered since, or
an agent may have taken over; what is recorded later is in order all the same.
"""

from collections import OrderedDict
from dataclasses import replace

from records.messages import Message, Role
from serving.dialogue import Known
from serving.draft import Draft
from serving.routing import Pin
from serving.turn_log import Recorded

_MOST = 10_000


class LastKnown:
    """Conversations by assistant and by their id or their caller's key."""

    def __init__(self, *, most: int = _MOST) -> None:
        """Remember at most that many names; the one that was used longest ago goes first."""
        self._most = most
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()

    def get(self, assistant: str, name: str) -> Known | None:
        """What was known of a conversation; None where it was never seen, or long ago."""
        return self._known.get((assistant, name))

    def learn(self, assistant: str, name: str, known: Known | None) -> None:
        """Remember what the records said."""
        if known is not None:
            self._keep((assistant, name), known)

    def answered(self, draft: Draft, recorded: Recorded) -> None:
        """Remember an answer that was given."""
        dialogue = draft.dialogue
        known = dialogue.known
        said = (
            *(known.said if known else dialogue.request.earlier),
            Message(Role.CUSTOMER, dialogue.request.question),
            Message(Role.ASSISTANT, draft.text),
        )
        if known is None:
            known = Known.begun(recorded.conversation_id, customer=dialogue.request.customer)
        pin = Pin(draft.version, dialogue.choice.experiment) if draft.version else known.pin
        known = replace(known, said=said, pin=pin)
        for name in {recorded.conversation_id, dialogue.request.conversation}:
            if name is not None:
                self._keep((dialogue.assistant.name, name), known)

    def _keep(self, key: tuple[str, str], known: Known) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
