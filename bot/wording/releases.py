"""Words of reports, versions and releases."""

from records.states import Verdict, VersionState

VERSION_FULL = "version {number} ({version})"
VERSION_FULL_FIRST = "Version {number} ({version})"
VERSION_SHORT = "version {number}"

VERDICTS: dict[Verdict, str] = {
    Verdict.PASS: ":large_green_circle: PASS",
    Verdict.FAIL: ":red_circle: FAIL",
    Verdict.INCONCLUSIVE: ":large_yellow_circle: INCONCLUSIVE",
}
MEASURED = "measured"
REPORT_TITLE = "Report: {challenger}"
REPORT_TITLE_AGAINST = "Report: {challenger} against {champion}"
REPORT_FALLBACK = "{challenger}: {verdict}"
REPORT_FALLBACK_AGAINST = "{challenger} against {champion}: {verdict}"
VERDICT_LINE = "*{verdict}*"
WORSE = "*Worse served:* {slices}"
BETTER = ":large_green_circle: *Better served:* {slices}"
SLICE = "{name} ({points} points)"
SLICE_PERHAPS = "{name} (perhaps, {points} points)"
MORE_SLICES = "{number} more"
CHANGED = "*Answers* fixed: {fixed} · broken: {broken}"
CHANGED_REWORDED = "*Answers* fixed: {fixed} · broken: {broken} · only reworded: {reworded}"
IN_THREAD = "Tables, slices and every changed answer stand in the thread."
DETAILS_FALLBACK = "The report's tables"
BOUNDS = (
    "Intervals here are two-sided. A slice is judged by a one-sided bound, which lies within them."
)
ROWS_LEFT_OUT = "_Rows of the report that are left out here: {number}_"
PLOT = "Metrics of {versions}, plotted"
CHANGES_COMMENT = "Every answer that changed: broken ones first, then fixed, then reworded ones."

PROMOTE = "Promote"
PROMOTE_QUESTION = (
    "Then {challenger} answers all customers of {assistant} in place of {champion}. A running "
    "experiment ends. Rolling back is one press."
)
PROMOTE_QUESTION_FIRST = (
    "Shall {challenger} answer all customers of {assistant}? Your yes is noted; a second operator "
    "must press Promote too before anything changes."
)
PROMOTE_QUESTION_SECOND = (
    "You are the second operator: then {challenger} answers all customers of {assistant} in place "
    "of {champion}. Rolling back is one press."
)
CONSENT = ":raised_hand: {who} agrees to promote {version}. A second operator must press *Promote*."
CONSENT_NOTED = (
    "Your yes to {version} is noted. It is promoted when a second operator presses *Promote* too."
)
ROLL_BACK = "Roll back"
ROLL_BACK_QUESTION = (
    "The version before {challenger} then answers all customers of {assistant} again."
)
START_EXPERIMENT = "Start experiment at {share}"
START_EXPERIMENT_QUESTION = (
    "Then {challenger} answers {share} of the customers of {assistant}; the others stay with "
    "{champion}. You can ramp it up or stop it at any time."
)
EXPERIMENT_RUNS = ":test_tube: An experiment gives it {share} of the customers."
DISCARD = "Discard"
DISCARD_QUESTION = (
    "Then {challenger} gets no customers: it can be neither tried nor promoted until somebody "
    "takes it back."
)
DISCARDED = ":wastebasket: Discarded by {who}"
TAKE_BACK = "Take back"
TAKE_BACK_QUESTION = "Then {challenger} can be tried and promoted again."

REFUSED = (
    ":warning: *{version} is not served*: a gateway refuses it, and the version before it goes on "
    "answering."
)
RELEASED_FALLBACK = "{version} serves {assistant}"
PROMOTED = ":rocket: *{version}* was promoted by {who}, {at}"
PROMOTED_FROM = ":rocket: *{version}* was promoted in place of {replaced} by {who}, {at}"
ROLLED_BACK = ":rewind: Rolled back to *{version}* by {who}, {at}"
ROLLED_BACK_FROM = ":rewind: Rolled back from {replaced} to *{version}* by {who}, {at}"
STALE_REPORT = (
    "This report compared {challenger} with {champion}, but {current} serves now. "
    "Compare them again first."
)
STALE_ROLLBACK = "{version} does not serve any more, so there is nothing to go back from."

VERSIONS_TITLE = "*Versions of {assistant}*, the newest first"
VERSIONS_FALLBACK = "Versions of {assistant}"
VERSION_STATES: dict[VersionState, str] = {
    VersionState.TRAINED: ":hammer_and_wrench: trained, not compared yet",
    VersionState.EVALUATED: ":bar_chart: compared",
    VersionState.CHAMPION: ":trophy: *champion*",
    VersionState.DISCARDED: ":wastebasket: discarded",
    VersionState.RETIRED: ":zzz: was champion",
}
VERSION_LINE = "*{version}*: {state}, {verdict}\nmade {age} ago ({at}) from {dataset}"
NO_VERDICT = "no verdict"
BARE_BASE = "the bare base model"
VERSIONS_LEFT_OUT = (
    "_Older versions that are left out here: {number}. understudy versions lists them all._"
)
NO_VERSIONS = "{assistant} has no versions yet: start the gateway once."

COMPARE_USAGE = "Name two versions by number or id: /compare 2 3. /versions lists them."
NO_REPORT = (
    "{one} and {other} were not compared yet. On the machine that runs Understudy, this "
    "compares them: `understudy compare {first} {second}`"
)
REPORT_FROM = "Made {at}"

ROLLBACK_TITLE = "Roll back"
ROLLBACK_SUBMIT = "Roll back"
ROLLBACK_ABOUT = (
    "*{target}* then answers all customers of *{assistant}* again, in place of *{champion}*. "
    "Answers that are being given are finished first."
)
ROLLBACK_EXPERIMENT = ":test_tube: The running experiment ends with it."
ROLLBACK_CHANGED = (
    "{assistant} has changed in the meantime: type /rollback again to see what serves now."
)
NO_RELEASE = "No release {release}."
