"""Words of asking the assistant inside Slack: versions on trial, two side by side, drafts."""

from records.judgements import Better

OPENING = (
    ":wave: Write to me here, and {assistants} answers as it would a customer. No customer sees "
    "it, and it counts in no figure."
)
HELP = (
    "*Just ask*, and the version that serves customers answers, in a thread. Write on in the "
    "thread to go on with that conversation.\n"
    "*Ask a version:* `ask version {example}: where is my card?` – its number, or the beginning of "
    "its name; `champion` and `base` are names too."
)
HELP_COMPARE = (
    "*Two side by side:* `compare {first} {second}: where is my card?` – you judge before you see "
    "which is which."
)
HELP_MENTION = (
    "*In a channel* mention me. In an escalation's thread that makes a draft, which only its owner "
    "can send to the customer."
)
HELP_ASSISTANTS = "*Several assistants:* `{assistant}: where is my card?`"
HELP_TITLE = "How to ask"
AND = " or "
CHAMPION = "{version} (serves customers)"
PICK = "*Ask one version* in a thread of its own:"
PICK_PLACEHOLDER = "Choose a version"
PICKED = "*{version}* answers what you write in this thread."
NO_VERSION_YET = "{assistant} serves no version yet: start `understudy up` once."
WHICH_ASSISTANT = "Which assistant? Begin with its name: {assistants} – such as `{example}: …`."
FILES = "I can't read files. Write the question as text."
NO_QUESTION = "What shall I ask? Write the question behind the version, such as `{example}: …`."
UNKNOWN_VERSION = "I know no version `{name}`. There are: {versions}."
AMBIGUOUS_VERSION = "`{name}` fits several versions: {versions}. Write more of its name."
SAME_VERSION = "Both are {version}. Name two different versions to compare."
TWO_ASSISTANTS = (
    "{first} and {second} belong to different assistants, so their answers can't be compared."
)

WAITING = "{number} answers are being made already; yours comes next."
TOO_BUSY = "Others have been asking all the time, so this was not asked."
ENGINE_DOWN = (
    "No engine answers, so nothing can be asked now. See that `understudy up` (or "
    "`understudy engine`) runs and what its log says."
)
NO_SUCH_BASE = (
    "No engine serves the base model of {assistant}. See which assistants the engine was started "
    "with."
)
NO_ROOM = (
    "The engine has no room for {version}: the {number} adapters it holds serve customers or are "
    "being asked. Ask again later, or raise engine.max_cpu_loras in the assistant's file."
)
TOO_SLOW = "It took longer than {duration}."
ENDED_EARLY = "The engine stopped in the middle of the answer."
EMPTY_ANSWER = "(The model said nothing.)"
STOPPED = "I was stopped while this was being answered."
UNANSWERED = ":warning: {who}, your question was not answered. {reason}"
UNANSWERED_TITLED = ":warning: {who}, {title} was not made. {reason}"
ASK_AGAIN = "Ask again"
ASKED_AGAIN = ":repeat: {who} asked again."

TITLE = "Answer {number}"
DRAFT = "Draft – the customer has not read this"
DRAFT_SENT = ":outbox_tray: Passed on to the customer by {who}."
DRAFT_SENT_EDITED = ":outbox_tray: Edited and passed on to the customer by {who}:"
SEND_DRAFT = "Send to customer"
SEND_DRAFT_QUESTION = "The customer gets these words as they stand, from you."
EDIT_DRAFT = "Edit and send…"
EDIT_DRAFT_TITLE = "Edit and send"
EDIT_DRAFT_SUBMIT = "Send to customer"
EDIT_DRAFT_LABEL = "What the customer gets, from you"
EDIT_DRAFT_TOO_LONG = "The draft is too long to be edited here. Write what the customer gets."
EDIT_DRAFT_EMPTY = "Write something for the customer."
HANDED_OVER = (
    ":raising_hand: *The model asked for a person.* A customer would have been handed over."
)
UNSURE = (
    ":raising_hand: *Not sure enough* (mean token probability {confidence}, at least {least} "
    "wanted). A customer would have been handed over."
)
UNKNOWN = "unknown"
CUT_SHORT = ":scissors: It reached the longest length of an answer."
FACTS = "{version} · {duration}"
FACTS_SURE = "{version} · {duration} · mean token probability {confidence}"
FACTS_BLIND = "{duration}"
UNCOUNTED = "Tried in Slack: no customer, counted in no figure."
UNCOUNTED_UNRULED = (
    "Tried in Slack: no customer, counted in no figure, and without the phrases and rules by which "
    "a customer gets a person at once."
)
GOOD = "Good answer"
BAD = "Bad answer"
LIKED = ":+1: Good, says {who}"
FLAGGED = ":triangular_flag_on_post: Flagged by {who}"
FLAGGED_FOR = ":triangular_flag_on_post: Flagged by {who}: {reason}"

COMPARE = "*Which answer is better?* Their versions are shown when you have judged."
COMPARE_KNOWN = "*Which answer is better?* {first} gave answer 1, {second} answer 2."
COMPARE_SAME = ":twisted_rightwards_arrows: Both versions gave the same answer: nothing to judge."
JUDGEMENTS: dict[Better, str] = {
    Better.FIRST: "1 is better",
    Better.SECOND: "2 is better",
    Better.BOTH_GOOD: "Both good",
    Better.BOTH_BAD: "Both bad",
}
JUDGED_BETTER = ":balance_scale: *{better}* is better than *{worse}*, says {who}."
JUDGED_BOTH_GOOD = ":balance_scale: *{first}* and *{second}* are both good, says {who}."
JUDGED_BOTH_BAD = ":balance_scale: *{first}* and *{second}* are both bad, says {who}."
JUDGED_NOTE = "Answer 1 was {first}, answer 2 {second}. The judgement is in the audit."
