"""Words of flags, of examples and what people decide on them, of receipts."""

from records.personal_data import PersonalData
from records.states import DoubtKind, ExampleSource, ExampleState, FlagReason, RejectReason

FLAG_REASONS: dict[FlagReason, str] = {
    FlagReason.WRONG: "Wrong",
    FlagReason.INCOMPLETE: "Incomplete",
    FlagReason.SHOULD_HAVE_ESCALATED: "Should have been handed over",
    FlagReason.UNSAFE: "Unsafe",
    FlagReason.TONE: "Tone",
    FlagReason.OUT_OF_DATE: "Out of date",
    FlagReason.OTHER: "Other",
}
SOURCES: dict[ExampleSource, str] = {
    ExampleSource.FLAG: "a flagged answer",
    ExampleSource.REPLY: "an agent's reply",
    ExampleSource.IMPORT: "an import",
    ExampleSource.DOCUMENT: "a document",
    ExampleSource.ACCEPTED: "an accepted answer",
    ExampleSource.DECLINED: "a declined answer",
}
REJECT_REASONS: dict[RejectReason, str] = {
    RejectReason.WRONG: "The answer isn't right either",
    RejectReason.UNCLEAR: "The question is unclear",
    RejectReason.PERSONAL_DATA: "Holds personal data",
    RejectReason.DUPLICATE: "Taught already",
    RejectReason.ONE_OFF: "Right for this customer only",
}
PERSONAL_DATA: dict[PersonalData, str] = {
    PersonalData.EMAIL: "e-mail address",
    PersonalData.IBAN: "IBAN",
    PersonalData.CARD: "card number",
    PersonalData.PHONE: "phone number",
    PersonalData.SOCIAL_SECURITY: "social security number",
    PersonalData.IP_ADDRESS: "IP address",
}

FLAG_ANSWER = "Flag answer"
REVISE_FLAG = "Revise flag"
WITHDRAW_FLAG = "Withdraw flag"
FLAGGED = ":triangular_flag_on_post: Flagged by {who}"
FLAGGED_BECAUSE = ":triangular_flag_on_post: Flagged by {who}: {reason}"
FLAG_NOTE = "{flagged} – {note}"
FLAG_TITLE = "Flag answer"
FLAG_SUBMIT = "Save"
FLAG_SAVED_NOTE = "Your flag is saved already. What you add here says what would have been right."
FLAG_LOADING = "Saving your flag …"
FLAG_REASON_LABEL = "What is wrong with it?"
FLAG_REASON_PLACEHOLDER = "Choose a reason"
FLAG_REASON_HINT = (
    "Where a person should have answered, choose “Should have been handed over”, whatever else is "
    "wrong: that is what the assistant learns."
)
FLAG_CORRECTION_LABEL = "The right answer"
FLAG_NOTE_LABEL = "Note for colleagues"
FLAG_BARE = (
    "Your flag is saved without a right answer, so nothing is learned from it yet. *Revise flag* "
    "adds one."
)
FLAG_TOO_LONG = "The answer is too long to be edited here. Write the right one."
FLAG_LATE = "Your flag is saved. Slack was too slow to open the form: press again to add details."
FLAG_BY_REACTION = (
    ":triangular_flag_on_post: Your flag on this answer is saved. Say what would have been right, "
    "so that it can be learned from."
)
FLAG_ADD_DETAILS = "Add details"
FLAG_WITHDRAWN = "Your flag is withdrawn."
FLAG_WITHDRAWN_LATE = (
    "Your flag is withdrawn. The example made from it was approved already and stays: ask "
    "{reviewer} to look at it again."
)
FLAG_STAYS = (
    "Your flag stays, because you wrote more than the emoji says. To take all of it back, press "
    "*Withdraw flag*."
)
NOT_AN_ANSWER = "Only the assistant's answers in an escalation's thread can be flagged."

APPROVE = "Approve"
APPROVE_HANDOVER = "Approve as hand-over"
REJECT_BECAUSE = "Reject because…"
REJECT_OTHER = "Other…"
REJECT_TITLE = "Reject example"
REJECT_LABEL = "Why must it not train?"
REJECT_SUBMIT = "Reject"
EXAMPLE_FALLBACK = "An example from {source} waits for approval"
EXAMPLE_TITLE = "*Example from {source}*, by {who}"
EXAMPLE_EDITED = "Edited by {who}"
QUESTION = "*Question*"
BEFORE = ":heavy_minus_sign: *Before*"
AFTER = ":heavy_plus_sign: *After*"
AFTER_HANDOVER = ":heavy_plus_sign: *After*, handing over to a person"
OTHER_EYES = ":eyes: Four eyes: somebody else than {who} must approve this."
OTHER_EYES_TWO = ":eyes: Four eyes: somebody else than {who} and {editor} must approve this."
OUTCOMES: dict[ExampleState, str] = {
    ExampleState.APPROVED: ":white_check_mark: Approved by {who}, {at}",
    ExampleState.REJECTED: ":x: Rejected by {who}, {at}",
    ExampleState.SUPERSEDED: ":arrows_counterclockwise: Replaced by a later flag",
    ExampleState.WITHDRAWN: ":leftwards_arrow_with_hook: Withdrawn with its flag",
    ExampleState.PROPOSED: ":hourglass: Waits for review",
    ExampleState.ERASED: ":wastebasket: Erased with its customer's words",
}
OUTCOMES_IN_SHORT: dict[ExampleState, str] = {
    ExampleState.APPROVED: "approved by {who}",
    ExampleState.REJECTED: "rejected by {who}",
    ExampleState.SUPERSEDED: "replaced by a later flag",
    ExampleState.WITHDRAWN: "withdrawn with its flag",
    ExampleState.PROPOSED: "waits for review too",
    ExampleState.ERASED: "erased",
}
DOUBTED: dict[DoubtKind, str] = {
    DoubtKind.CONTRADICTION: (
        ":thinking_face: *Doubted because another example answers nearly the same question "
        "otherwise.* It was approved before; approve it once more, and it is not doubted again:"
    ),
    DoubtKind.LABEL_NOISE: (
        ":thinking_face: *Doubted because examples with questions like it teach another answer.* "
        "It was approved before; approve it once more, and it is not doubted again. One of them:"
    ),
}
OTHER_ASSISTANT = "These examples are of two assistants, so neither contradicts the other."
DOUBT_QUESTION = "“{question}”"
DOUBT_ANSWER = "*Its answer* ({state})"
DOUBT_HANDOVER = "*Its answer*, handing over to a person ({state})"
REJECTED_WHY = ":x: Rejected by {who}, {at}: {why}"
IMPORTED = (
    ":inbox_tray: *{number} examples* of an import wait for review in App Home: open "
    "Understudy under Apps, then Home."
)
IMPORTED_ONE = (
    ":inbox_tray: *An example* of an import waits for review in App Home: open Understudy under "
    "Apps, then Home."
)

FIXED_FALLBACK = "{version} answers rightly what was flagged"
FIXED = ":tada: *Fixed.* {version} serves customers now and answers this rightly. Thank you, {who}!"
FIXED_BEFORE = ":heavy_minus_sign: *Before*: what was flagged"
FIXED_WANTED = ":pencil: *What you said would be right*"
FIXED_WANTED_HANDOVER = ":pencil: *What you said would be right*: a person answers"
FIXED_AFTER = ":heavy_plus_sign: *Now*, with {version}"
FIXED_AFTER_HANDOVER = ":heavy_plus_sign: *Now*, with {version}: a person is asked"
LEFT_OUT = "_{number} more characters are left out here._"
