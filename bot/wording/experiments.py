"""Words of experiments: the message, its buttons, the daily digest, alerts."""

from records.states import AlertKind, ExperimentState

TITLES: dict[ExperimentState, str] = {
    ExperimentState.RUNNING: ":test_tube: *Experiment on {assistant}* runs since {at}",
    ExperimentState.STOPPED: ":test_tube: *Experiment on {assistant}*, from {at} to {until}",
}
FALLBACKS: dict[ExperimentState, str] = {
    ExperimentState.RUNNING: "An experiment on {assistant} runs",
    ExperimentState.STOPPED: "An experiment on {assistant} has ended",
}
CHAMPIONS_SIDE = "*{version}* (the champion), {share} of the customers"
ARM_SIDE = "*{version}* ({arm}), {share} of the customers"
SIDE_COUNTS = (
    "Customers {customers} · conversations {conversations} · escalated "
    "{escalated}{escalated_share} · flagged {flagged}{flagged_share} · rated {rated}"
)
SIDE_NOTHING = "No conversations yet"
SHARE_OF = " ({share})"
THUMBS = "{up} of {thumbs} thumbs up"
CSAT = "CSAT {mean} from {count}"
NO_VERDICT = "_These are counts as of {at} and no verdict: a difference may well be chance._"
STARTED = "Started by {who}, {at}"
RAMPED = "{who} set the shares to {shares}, {at}"
ARM_SHARE = "{arm} {share}"
STOPPED = "Ended by {who}, {at}"
RAMP = "Ramp to {share}"
RAMP_QUESTION = (
    "Then {version} answers {share} of the customers of {assistant}. Those who have it now keep it."
)
NOT_MORE = "{version} answers {share} of the customers already. Press Stop to take it from them."
STOP = "Stop"
STOP_QUESTION = "All customers of {assistant} are then answered by the champion again."
ENDED = "This experiment has ended already."
PROMOTE_VERSION = "Promote {version}"

VIEW_TITLE = "Experiment"
IS_CHAMPION = "{version} answers all customers already."
FORM_TITLE = "Start experiment"
FORM_SUBMIT = "Start"
FORM_ABOUT = (
    "Some customers of *{assistant}* are answered by another version, the others by the champion, "
    "{champion}. Each customer stays with one of them."
)
FORM_VERSION = "Version to try"
FORM_SHARE = "Share of the customers"
FORM_SHARE_HINT = "You can ramp it up or stop it at any time."
NO_CANDIDATE = (
    "There is no version of {assistant} to try: train one with /retrain. Versions that failed or "
    "were discarded get no customers."
)

DIGEST_TITLE = ":newspaper: *Experiment on {assistant}*, day {day}"
DIGEST_FALLBACK = "How the experiment on {assistant} stands, day {day}"
ALERTS: dict[AlertKind, str] = {
    AlertKind.GUARDRAIL: ":rotating_light: *Experiment on {assistant}*: something got worse",
    AlertKind.EVIDENCE: ":scales: *Experiment on {assistant}*: the evidence is in",
}
ALERT_FALLBACKS: dict[AlertKind, str] = {
    AlertKind.GUARDRAIL: "Experiment on {assistant}: something got worse",
    AlertKind.EVIDENCE: "Experiment on {assistant}: the evidence is in",
}
ALERT_NEXT = "Its message has the buttons; /experiment shows how it stands."
