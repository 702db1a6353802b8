"""Everything that a person reads in Slack and that isn't a record, in one place."""

from records.states import (
    EscalationReason,
    EscalationState,
    ExampleSource,
    FlagReason,
    JobState,
    Verdict,
)

REASONS: dict[EscalationReason, str] = {
    EscalationReason.MODEL: "the assistant asked for a person",
    EscalationReason.CUSTOMER: "the customer asked for a person",
    EscalationReason.CONFIDENCE: "the assistant was not sure",
    EscalationReason.POLICY: "the policy wants a person",
    EscalationReason.ENGINE: "the assistant could not answer",
    EscalationReason.FLAG: "an agent flagged the answer",
}

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

STATES: dict[EscalationState, str] = {
    EscalationState.WAITING: ":hourglass_flowing_sand: Waiting for a person",
    EscalationState.TAKEN: ":speech_balloon: {owner} speaks with the customer",
    EscalationState.RESOLVED: ":white_check_mark: Resolved by {owner} after {duration}",
}

JOB_STATES: dict[JobState, str] = {
    JobState.QUEUED: ":hourglass: Waiting for the worker",
    JobState.RUNNING: ":gear: Running",
    JobState.SUCCEEDED: ":white_check_mark: Done",
    JobState.FAILED: ":x: Failed",
    JobState.CANCELLED: ":no_entry_sign: Cancelled",
}

VERDICTS: dict[Verdict, str] = {
    Verdict.PASS: ":large_green_circle: PASS",
    Verdict.FAIL: ":red_circle: FAIL",
    Verdict.INCONCLUSIVE: ":large_yellow_circle: INCONCLUSIVE",
}

REFUSED = (
    ":warning: *{version} is not served*: a gateway refuses it, and the version before it goes on "
    "answering."
)
TAKE_OVER = "Take over"
RESOLVE = "Resolve"
FLAG_ANSWER = "Flag answer"
REVISE_FLAG = "Revise flag"
APPROVE = "Approve"
APPROVE_HANDOVER = "Approve as hand-over"
REJECT = "Reject"
PROMOTE = "Promote"
ROLL_BACK = "Roll back"

FLAG_TITLE = "Flag answer"
FLAG_SAVED_NOTE = "Your flag is saved already. What you add here says what would have been right."
FLAG_LOADING = "Saving your flag …"
FLAG_UNCHANGED = (
    "This is the answer as it was given. Write the right one, or empty this field to flag the "
    "answer without one."
)
FLAG_TOO_LONG = "The answer is too long to be edited here. Write the right one."
FLAG_LATE = "Your flag is saved. Slack was too slow to open the form: press again to add details."

HINT_NOBODY = "Nobody has taken this over, so your message stays internal. Press *Take over* first."
HINT_OTHER = "{owner} speaks with this customer; your message stays internal."
HINT_RESOLVED = "This is resolved, so your message stays internal."
HINT_FILES = "Files can't be passed on to the customer; {rest}."
HINT_FILES_TEXT = "your text was"
HINT_FILES_ONLY = "nothing was sent"

NOT_AN_ANSWER = "Only the assistant's answers in an escalation's thread can be flagged."
NOT_AN_OPERATOR = (
    "Only {operators} may do this for {assistant}. The list stands in the assistant's file under "
    "slack.operators."
)
RETRAIN_ASKED = "A retraining of {assistant} is on its way; its progress shows in {channel}."
STALE_REPORT = (
    "This report compared {challenger} with {champion}, but {current} serves now. "
    "Compare them again first."
)
STALE_ROLLBACK = "{version} does not serve any more, so there is nothing to go back from."
UNEXPECTED = "Something went wrong on our side. It is logged under {reference}."
WITHHELD = "Withheld, because the assistant was not sure; the customer has not read it:"
