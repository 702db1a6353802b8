"""Words that explain an answer: what led to it, and whose work that was."""

from records.states import EscalationState

USAGE = (
    "Name an answer: /explain followed by the link of its message, the id of the answer (turn_…) "
    "or of its conversation (conv_…)."
)
NO_SUCH_MESSAGE = (
    "No answer of the assistant stands in that message. Take the link of an answer in an "
    "escalation's thread."
)
NO_ANSWER_YET = "The assistant has given no answer in this conversation yet."
FALLBACK = "Why this answer was given"
ASKED = "*Asked*"
ANSWERED = "*Answered*, {at}"
BY_VERSION = ":mag: *{version}* said this."
BY_ARM = ":mag: *{version}* said this, as the experiment's arm {arm}."
BY_NOBODY = ":mag: *A fixed sentence* of the assistant's file: no version said this."
LEARNED = (
    "Examples it learned from: {number}. The nearest to this question ({likeness} alike): "
    "“{question}” → “{answer}”"
)
LEARNED_NOTHING_LIKE = "Examples it learned from: {number}. None is like this question."
TOOK = "It took {duration} and {tokens} tokens."
TOOK_SURE = "It took {duration} and {tokens} tokens; mean token probability {probability}."
EXPERIMENT = "Experiment {experiment}"
HANDED_OVER = "*Handed over:* {reason} – {cause} ({state})"
STATES: dict[EscalationState, str] = {
    EscalationState.WAITING: "waits",
    EscalationState.TAKEN: "taken over",
    EscalationState.RESOLVED: "resolved",
}
FLAGGED = ":triangular_flag_on_post: Flagged by {who}, {at}"
FLAGGED_BECAUSE = ":triangular_flag_on_post: Flagged by {who}, {at}: {reason}"
VERSION = "*{version}*: {state}, {verdict}, trained on {base} while {parent} served"
VERSION_BARE = "*{version}*: {state}, the bare base model {base}"
RELEASES = "{action} by {who}, {at}"
PROMOTED, ROLLED_BACK, INSTALLED = "Promoted", "Rolled back to", "Installed"
DATASET = "*Dataset* {dataset}: {counts}"
NEAREST = "*Examples most like the question:*"
EXAMPLE = "{likeness} alike, from {source}: written by {by}, approved by {approver}"
EXAMPLE_FLAG = "{likeness} alike, from {source}: flagged by {flagger}, approved by {approver}"
EXAMPLE_HANDOVER = "(a person)"
LESSON = "{question} → {answer}"
BARE = "It is the base model as it came: it learned from no example."
NO_DATASET = "No approved example was used in its training."
