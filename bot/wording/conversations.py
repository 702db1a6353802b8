"""Words of cards, threads and what may be done with a conversation."""

from records.states import EscalationReason, EscalationState

REASONS: dict[EscalationReason, str] = {
    EscalationReason.MODEL: "the assistant asked for a person",
    EscalationReason.CUSTOMER: "the customer asked for a person",
    EscalationReason.CONFIDENCE: "the assistant was not sure",
    EscalationReason.POLICY: "the policy wants a person",
    EscalationReason.ENGINE: "the assistant could not answer",
    EscalationReason.FLAG: "an agent flagged the answer",
}
STATES: dict[EscalationState, str] = {
    EscalationState.WAITING: ":hourglass_flowing_sand: Waiting for a person",
    EscalationState.TAKEN: ":speech_balloon: {owner} speaks with the customer",
    EscalationState.RESOLVED: ":white_check_mark: Resolved by {owner} after {duration}",
}
TAKE_OVER = "Take over"
RESOLVE = "Resolve"
HINT_NOBODY = "Nobody has taken this over, so your message stays internal. Press *Take over* first."
HINT_OTHER = "{owner} speaks with this customer; your message stays internal."
HINT_RESOLVED = "This is resolved, so your message stays internal."
HINT_FILES = "Files can't be passed on to the customer; {rest}."
HINT_FILES_TEXT = "your text was"
HINT_FILES_ONLY = "nothing was sent"
WITHHELD = "Withheld, because the assistant was not sure; the customer has not read it:"
