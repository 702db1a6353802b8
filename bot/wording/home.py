"""Words of App Home: the queue of examples, the one at hand, what flags led to."""

from records.review import Whose
from records.states import ExampleSource

TITLE = "Review"
LOADING = "Loading …"
RELOAD = "Load again"
WAITING = "*{number}* examples wait for review."
WAITING_ONE = "*One* example waits for review."
WAITING_FITTING = "*{fitting}* of {number} waiting examples fit what you chose."
NOTHING_WAITS = ":sparkles: Nothing waits for review."
NOTHING_FITS = "Nothing that waits fits what you chose. {number} others wait."
SHOW_ALL = "Show all"
NOT_A_REVIEWER = "{number} examples wait. {people} review them for {assistant}."
NO_ASSISTANT = "No assistant belongs to this workspace."

NOBODY_WAITS = ":sparkles: No customer waits for a person."
PEOPLE_WAIT = ":hourglass_flowing_sand: *Waiting for a person: {number}* (the oldest first)"
OPEN_WAITING = "• “{question}” · for {waited} · {assistant} · {reason}"
OPEN_WAITING_UNREAD = "• for {waited} · {assistant} · {reason}"
YOURS = ":speech_balloon: *Yours: {number}*"
OPEN_MINE = "• “{question}” · {how}"
OPEN_YOURS = "with you since {since}"
OPEN_PAUSED = "paused since {since}"
OPEN_ASKED = "you were asked to take it over"
MORE_OPEN = "_… and {number} more_"
SHOW_CARD = "Show"

FILTER_ASSISTANT = "Assistant"
FILTER_SOURCE = "From"
FILTER_REASON = "Reason"
FILTER_WHOSE = "Whose"
ANY_ASSISTANT = "All assistants ({number})"
ANY_SOURCE = "All sources ({number})"
ANY_REASON = "All reasons ({number})"
OPTION = "{name} ({number})"
SOURCES: dict[ExampleSource, str] = {
    ExampleSource.FLAG: "Flagged answers",
    ExampleSource.REPLY: "Agents' replies",
    ExampleSource.IMPORT: "Imports",
    ExampleSource.DOCUMENT: "Documents",
    ExampleSource.ACCEPTED: "Accepted answers",
    ExampleSource.DECLINED: "Declined answers",
}
WHOSE: dict[Whose, str] = {
    Whose.ANYONE: "Everyone's",
    Whose.MINE: "Mine",
    Whose.OTHERS: "Others'",
}

PLACE = "{place} of {number} · {assistant} · {at}"
DECIDED_BEFORE = "Decided before · {assistant} · {at}"
EARLIER = "*Before that*"
CHANGES = "*Before and after*, ~removed~ *added*"
CHANGES_HANDOVER = "*Before and after*, ~removed~ *added* – handing over to a person"
NOTHING_BEFORE = ":heavy_plus_sign: *The right answer*"
NOTHING_BEFORE_HANDOVER = ":heavy_plus_sign: *The right answer*, handing over to a person"
PERSONAL_DATA = (
    ":lock: *Personal data:* {kinds}, marked `like this`. Edit it out of the answer, or reject the "
    "example if it must not be kept. Names are not found by themselves."
)
CONVERSATION = "Show conversation"
THREAD = "Open the thread"
CONVERSATION_TITLE = "Conversation"
CONVERSATION_LEFT_OUT = "_{number} earlier messages are left out here._"
EDIT = "Edit"
SKIP = "Skip"
NEXT = "Next"
BACK = "Back"
UNDO = "Undo"
YOUR_OWN = ":eyes: You wrote this, so somebody else must approve it (four eyes)."

EDIT_TITLE = "Edit example"
EDIT_SUBMIT = "Save and approve"
EDIT_SUBMIT_FOUR_EYES = "Save"
EDIT_FOUR_EYES = "Who edits an example can't approve it (four eyes): somebody else decides."
EDIT_LABEL = "The right answer"
EDIT_TOO_LONG = "The answer is too long to be edited here. Write it anew."
EDIT_ESCALATE_LABEL = "Hand over?"
EDIT_ESCALATE = "A person should answer this"
EDIT_EMPTY = "Write the right answer, or say that a person should answer."

APPROVED = ":white_check_mark: Approved: “{question}”"
REJECTED = ":x: Rejected: “{question}”"
SAVED = ":pencil: Saved; somebody else must approve it: “{question}”"
REOPENED = "Taken back: decide anew."
APPROVED_ALL = ":white_check_mark: Approved {number} examples."
APPROVED_SOME = (
    ":white_check_mark: Approved {number} examples. {left} were left alone: they changed meanwhile."
)

NEAR_AGREEING = ":busts_in_silhouette: *Nearly the same question, and the same right answer:*"
NEAR_DIFFERING = (
    ":warning: *Nearly the same question, but the right answers differ.* Approve only what is true:"
)
NEAR_AGREES = "same answer"
NEAR_DIFFERS = ":warning: another answer: {answer}"
NEAR_HANDOVER = "hand over to a person"
NEAR = "“{question}” – {answer}"
SHOW = "Show"
SETTLE = "Approve, and reject the other"
SETTLE_QUESTION = (
    "This example is right and trains. The one that contradicts it is rejected: its answer isn't "
    "right."
)
SETTLED = ":white_check_mark: Approved, and the other rejected: “{question}”"
SHOW_OTHER = "Show the other"
APPROVE_ALL = "Approve all {number}"
APPROVE_ALL_QUESTION = (
    "{number} examples with the same right answer are approved and train: {answer}"
)

YOUR_FLAGS = "*Your flags* in the last {days} days"
NO_FLAGS = (
    "You have flagged nothing in this time. Flag a bad answer in its thread, and what becomes of "
    "it shows here."
)
FLAGGED = "*{number}* flagged"
FLAG_WITHOUT = "*{number}* without a right answer, so nothing to learn from"
FLAG_WAITING = "*{number}* waiting"
FLAG_APPROVED = "*{number}* approved"
FLAG_REJECTED = "*{number}* rejected"
FLAG_REJECTED_WHY = "*{number}* rejected ({why})"
FLAG_WHY = "{why}: {number}"
FLAG_TRAINED = "*{number}* trained"
FLAG_FIXED = "*{number}* fixed"
TRAINED_IN = "Trained in {versions}."
TRAINED_IN_MORE = "Trained in {versions} and {number} more."
TEAM = "*The team's flags* in the last {days} days"
TEAM_LINE = "{who}: {results}"
TEAM_MORE = "_{number} more agents flagged answers._"
FIGURES = "*{assistant}:* {waiting} waiting · from flag to fix: {fix}"
FIGURES_FIX = "median {duration}"
FIGURES_NO_FIX = "nothing fixed yet"
