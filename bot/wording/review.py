"""Words of flags, examples and their review."""

from records.states import ExampleSource, FlagReason

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
    ExampleSource.ACCEPTED: "an accepted answer",
}
FLAG_ANSWER = "Flag answer"
REVISE_FLAG = "Revise flag"
APPROVE = "Approve"
APPROVE_HANDOVER = "Approve as hand-over"
REJECT = "Reject"
FLAG_TITLE = "Flag answer"
FLAG_SAVED_NOTE = "Your flag is saved already. What you add here says what would have been right."
FLAG_LOADING = "Saving your flag …"
FLAG_UNCHANGED = (
    "This is the answer as it was given. Write the right one, or empty this field to flag the "
    "answer without one."
)
FLAG_TOO_LONG = "The answer is too long to be edited here. Write the right one."
FLAG_LATE = "Your flag is saved. Slack was too slow to open the form: press again to add details."
NOT_AN_ANSWER = "Only the assistant's answers in an escalation's thread can be flagged."
