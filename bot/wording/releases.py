"""Words of retraining, reports, releases and experiments."""

from records.states import JobState, Verdict

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
PROMOTE = "Promote"
ROLL_BACK = "Roll back"
RETRAIN_ASKED = "A retraining of {assistant} is on its way; its progress shows in {channel}."
STALE_REPORT = (
    "This report compared {challenger} with {champion}, but {current} serves now. "
    "Compare them again first."
)
STALE_ROLLBACK = "{version} does not serve any more, so there is nothing to go back from."
