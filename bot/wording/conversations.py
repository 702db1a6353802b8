"""Words of cards, threads and what may be done with a conversation."""

from records.messages import Role
from records.states import EscalationReason, Resolution, TurnStatus

REASONS: dict[EscalationReason, str] = {
    EscalationReason.MODEL: "the assistant asked for a person",
    EscalationReason.CUSTOMER: "the customer asked for a person",
    EscalationReason.CONFIDENCE: "the assistant was not sure",
    EscalationReason.POLICY: "the policy wants a person",
    EscalationReason.ENGINE: "the assistant could not answer",
    EscalationReason.FLAG: "an agent flagged the answer",
}
CARD_TITLE = "Escalation in {assistant}: “{question}”"
CARD_WITHOUT_WORDS = "Escalation in {assistant}"
CUSTOMER = "*Customer:* {customer}"
CUSTOMER_UNKNOWN = "unknown"
REASON = "{reason}: {cause}"
CAUSE_SAYS_NO_MORE = "asked for a person"
"""How the cause ends where the assistant asked, by the gateway's words."""
LAST_WORDS = "{speaker}: {words}"
WROTE_AGAIN = ":incoming_envelope: *Wrote again* {at}: {words}"
ASSISTANT = "Assistant {assistant}"
QUESTION = "“{question}”"
STATE_WAITING = ":hourglass_flowing_sand: *Waiting for a person* since {since}"
STATE_TAKEN = ":speech_balloon: {owner} speaks with the customer since {since}"
STATE_PAUSED = ":double_vertical_bar: {owner} has this, paused since {since}"
STATE_ASKED = ":point_right: {assignee} was asked to take over"
WAITED = "Waited {duration} for a person"
ENDED: dict[Resolution, str] = {
    Resolution.SOLVED: ":white_check_mark: Resolved by {by}: *solved*",
    Resolution.PARTLY_SOLVED: ":ballot_box_with_check: Resolved by {by}: *partly solved*",
    Resolution.NOT_SOLVED: ":heavy_multiplication_x: Resolved by {by}: *not solved*",
    Resolution.NO_REPLY: ":zzz: Resolved by {by}: *the customer did not come back*",
    Resolution.NOT_NEEDED: ":heavy_minus_sign: Closed by {by}: *no person was needed*",
    Resolution.HANDED_BACK: ":leftwards_arrow_with_hook: Handed back to the assistant by {by}",
}
HANDLED = "Handling time {duration}"
HANDLED_PAUSED = "Handling time {duration}, without {paused} of pauses"
NOTE = "*Note:* {note}"
RESOLUTIONS: dict[Resolution, str] = {
    Resolution.SOLVED: "Solved",
    Resolution.PARTLY_SOLVED: "Partly solved",
    Resolution.NOT_SOLVED: "Not solved",
    Resolution.NO_REPLY: "The customer did not come back",
    Resolution.NOT_NEEDED: "No person was needed",
}
TAKE_OVER = "Take over"
TAKE_OVER_FROM = "Take over from owner"
TAKE_OVER_FROM_QUESTION = (
    "You then speak with the customer in place of the colleague who has this now. They are told in "
    "the thread, and what they write from then on stays internal."
)
RESOLVE = "Resolve"
HAND_BACK = "Hand back"
HAND_BACK_QUESTION = (
    "The assistant then answers this customer again, and nothing is said to be solved."
)
PAUSE = "Pause"
RESUME = "Resume"
ASSIGN = "Assign to…"
DISMISS = "Not needed"
DISMISS_QUESTION = (
    "This closes without a person's word, and the assistant goes on answering the customer."
)
STALE_OWNER = "Somebody else has this now: look at the card again, then press."

RESOLVE_TITLE = "Resolve"
RESOLVE_LABEL = "How did it end?"
RESOLVE_SAVE_LABEL = "To learn from"
RESOLVE_SAVE = "Propose the answer below as an example"
RESOLVE_ANSWER_LABEL = "What the right answer would have been"
RESOLVE_ANSWER_HINT = (
    "The answer to the customer's question that the assistant should have given. A colleague looks "
    "at it before it trains. Empty: nothing is proposed."
)
RESOLVE_NOTE_LABEL = "Note for colleagues"
RESOLVE_SUBMIT = "Resolve"
ASSIGN_TITLE = "Assign to…"
ASSIGN_LABEL = "Who shall take it over?"
ASSIGN_HINT = (
    "They are asked in the thread. Until they press Take over, nothing they write reaches the "
    "customer."
)
ASSIGN_PLACEHOLDER = "Choose a colleague"
ASSIGN_SUBMIT = "Ask"
ASSIGN_A_BOT = "Bots can't speak with customers here: choose a person."
ASSIGN_GONE = "This person has left the workspace: choose somebody else."

ASKED_TO_TAKE_OVER = (
    ":point_right: {assignee}, {by} asks you to take this over: press *Take over* on the card. "
    "Until then nothing you write reaches the customer."
)
ASKED_BY_OWNER = (
    ":point_right: {assignee}, {by} asks you to take this over from them: press *Take over from "
    "owner* on the card. Until then {by} goes on speaking with the customer."
)
PASSED = (
    ":speech_balloon: {owner} speaks with the customer now. {former}, what you write here stays "
    "internal from now on."
)
REMINDER = ":bell: Nobody has taken this over yet; the customer has been waiting since {since}."
REMINDER_ASKED = (
    ":bell: {assignee}, you were asked to take this over; the customer has been waiting since "
    "{since}."
)
ON_CALL = (
    ":rotating_light: {on_call}: nobody has taken this over; the customer has been waiting since "
    "{since}."
)
ON_CALL_ONLY_OTHERS = (
    ":rotating_light: {on_call}: more customers of this channel wait too long for a person: "
    "{others}."
)
ON_CALL_OTHERS = (
    ":rotating_light: {on_call}: nobody has taken this over; the customer has been waiting since "
    "{since}, as have others who have waited too long: {others}."
)

SPEAKERS: dict[Role, str] = {
    Role.CUSTOMER: ":bust_in_silhouette: *Customer*",
    Role.ASSISTANT: ":robot_face: *Assistant*",
    Role.AGENT: ":speech_balloon: *Agent*",
}
SPEAKER_AGENT = ":speech_balloon: *Agent* {author}"
SPEAKERS_PLAIN: dict[Role, str] = {
    Role.CUSTOMER: "Customer",
    Role.ASSISTANT: "Assistant",
    Role.AGENT: "Agent",
}
TURN_STATUSES: dict[TurnStatus, str] = {
    TurnStatus.COMPLETE: "",
    TurnStatus.FALLBACK: "fixed sentence",
    TurnStatus.INTERRUPTED: "interrupted",
    TurnStatus.ABANDONED: "customer left",
}
TURN_REMOVED = "(taken back)"
TURN_IN_FILE = "_This goes on; all of it stands in the file below._"
TURN_FILE = "The whole message of the {speaker} above."
TRANSCRIPT_FILE = "Older messages of this conversation, in one file: {number}."
WITHHELD = "Withheld, because the assistant was not sure; the customer has not read it:"
