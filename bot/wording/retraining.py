"""Words of retraining: the form, the one message of a job, its cancelling."""

from records.states import ExampleSource, JobState, JobTrigger, TrainingMethod

TITLE = "*Retraining {assistant}*, asked for by {who}"
TITLES_BY_ITSELF: dict[JobTrigger, str] = {
    JobTrigger.THRESHOLD: "*Retraining {assistant}* by itself: enough was newly approved",
    JobTrigger.SCHEDULE: "*Retraining {assistant}* by itself: its scheduled time has come",
}
STATES: dict[JobState, str] = {
    JobState.QUEUED: ":hourglass: Waiting for the worker",
    JobState.RUNNING: ":gear: Running",
    JobState.SUCCEEDED: ":white_check_mark: Done",
    JobState.FAILED: ":x: Failed",
    JobState.CANCELLED: ":no_entry_sign: Cancelled",
}
CANCELLED_BY = ":no_entry_sign: Cancelled by {who}"
RUNNING = ":gear: {stage}"
STATE_AFTER = "{state} after {duration}"
STAGES: dict[str, str] = {
    "collecting examples": "Collecting examples",
    "cleaning examples": "Cleaning examples",
    "dataset ready": "The dataset is ready",
    "checking that it can be served": "Checking that it can be served",
    "starting the trainer": "Starting the trainer",
    "starting the trainer again": "The trainer was killed; starting it again",
    "waiting for the accelerator": "Waiting for the accelerator",
    "loading": "Loading the base model",
    "training": "Training",
    "searching": "Searching for a recipe",
    "saving": "Saving the adapter",
    "adapter published": "The adapter is published",
    "proving the adapter on each engine": "Proving that each engine has the adapter on",
    "evaluating": "Comparing with the champion",
    "asking what was flagged": "Asking again what was flagged",
    "waiting for the cluster": "Waiting for the cluster's workers",
    "looking for the cluster again": "The cluster was lost; looking for it again",
    "going on without a lost worker": "A worker was lost; going on from the last checkpoint",
    "waiting for the engine": "Waiting for the engine to answer again",
    "waiting for the storage": "Waiting for the database or the artifact store",
}
"""What the worker does, by the word that it notes."""
BAR = "`{bar}` {share} ({done} of {total})"
LOSS = "loss {loss}"
HELD_OUT_LOSS = "held-out loss {loss}"
TOKENS = "{rate} tokens/s"
ANSWERS = "{rate} answers/s"
LEFT = "{duration} left"
TRIAL = "trial {number}"
TRIAL_OF = "trial {number} of about {count}"
BEST = "best {quality} so far"
SPENT = "Retraining took {duration}"
SPENT_ACCELERATOR = "{duration} of it with the accelerator"
SPENT_COST = "{cost} {currency}"
WITH_SINCE = "Corrections approved since {at}"
WITH_MINUTES = "At most {duration} of training"
WITH_SEARCH = "Searching for a recipe for {duration}"
FALLBACKS: dict[JobState, str] = {
    JobState.QUEUED: "Retraining {assistant}: waiting for the worker",
    JobState.RUNNING: "Retraining {assistant}: running",
    JobState.SUCCEEDED: "Retraining {assistant}: done",
    JobState.FAILED: "Retraining {assistant}: failed",
    JobState.CANCELLED: "Retraining {assistant}: cancelled",
}
CANCEL = "Cancel"
CANCEL_YES = "Stop retraining"
CANCEL_NO = "Keep going"
CANCEL_QUESTION = "The training ends within seconds, and nothing of it is kept."
CANCELLED = "The retraining is cancelled."

FORM_TITLE = "Retrain"
FORM_SUBMIT = "Retrain"
FORM_LOADING = "Looking at what there is to train on …"
ABOUT = (
    "A new version of *{assistant}* is trained from what people approved, and then compared with "
    "the champion, {champion}. Customers get it only when somebody promotes it."
)
SOURCES: dict[ExampleSource, str] = {
    ExampleSource.FLAG: "{count} from flagged answers",
    ExampleSource.REPLY: "{count} from agents' replies",
    ExampleSource.IMPORT: "{count} from imports",
    ExampleSource.DOCUMENT: "{count} from documents",
    ExampleSource.ACCEPTED: "{count} accepted answers for replay",
    ExampleSource.DECLINED: "{count} answers that customers declined",
}
USED = "*Approved examples to be used:* {total} ({sources})"
USED_NONE = "*Approved examples to be used:* none"
NEW = "*New* since the champion's dataset: {count}"
NOT_USED = "*Not used:* {waiting} wait for review, {rejected} were rejected"
NOT_USED_OLDER = (
    "*Not used:* {waiting} wait for review, {rejected} were rejected, {older} were approved before"
)
REPLAY = "Answers that customers have accepted since are added for replay when it starts."
FEW = (
    ":warning: Fewer than {few} examples: expect better answers to what was corrected, and little "
    "that carries over to new questions."
)
NO_CORRECTIONS = (
    ":warning: No approved correction is among them, so there is nothing to learn. Flag bad "
    "answers and approve their corrections first."
)
OLDER_LEFT_OUT = (
    ":warning: Training starts from the base model: what is left out now is not learned, also "
    "where the champion knows it."
)
SINCE_LABEL = "Corrections to train on"
SINCE_ALL = "All that are approved"
SINCE_LAST = "Those approved since the last training"
SINCE_DAY = "Those approved since the day below"
DAY_LABEL = "Approved since"
DAY_HINT = "It begins at midnight in {timezone}."
METHOD_LABEL = "Method"
METHOD_ONLY = "*Method:* {method}"
METHODS: dict[TrainingMethod, str] = {
    TrainingMethod.SFT: "On the right answers (supervised fine-tuning)",
    TrainingMethod.SFT_DPO: "On the right answers, then on flagged and corrected pairs (SFT, DPO)",
    TrainingMethod.DPO: "On flagged and corrected pairs (DPO)",
    TrainingMethod.KTO: "On what customers found helpful or not (KTO)",
    TrainingMethod.DOCUMENTS: "On documents, then on the right answers",
    TrainingMethod.GRPO: "On the model's own answers, by their scores (GRPO)",
}
MINUTES_LABEL = "Time limit for the training, in minutes"
MINUTES_HINT = "Training ends then with the best that it has found. Empty: no limit."
MINUTES_HINT_OWN = (
    "Training ends then with the best that it has found. Empty: the recipe's own limit, {minutes}."
)
SEARCH_LABEL = "Search for a better recipe, in minutes"
SEARCH_HINT = (
    "Several recipes are trained, the usual one first, and the one with the best answers is kept. "
    "Empty: only the usual one."
)
DAY_MISSING = "Choose the day."
DAY_AHEAD = "This day is yet to come."
SEARCH_WRONG = "Write a number of minutes, 1 or more."
MINUTES_WRONG = "Write a number of minutes above 0."
NOTHING_TO_LEARN = (
    "No correction was approved in that time, so there is nothing to learn. Choose another time, "
    "or approve corrections first."
)
ASKED = "A retraining of {assistant} is on its way; its progress shows in {channel}."
RUNS_ALREADY = "This assistant is being retrained already:"
