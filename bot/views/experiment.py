"""An experiment as people see it: its message with buttons, its daily digest, its alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import Block, PlainTextObject
from slack_sdk.models.views import View

from bot import wording
from bot.text import escaped, literal, who
from bot.views.content import Button, Content, buttons, content, line, moment, said, small
from bot.views.report import promotion_question
from bot.views.version_names import BY_ID, VersionNames
from records.standings import Standing
from records.states import AlertKind, ExperimentState
from records.tables import Audit, Experiment

RAMPS = (25, 50, 100)
"""Shares in per cent that the message offers."""
_MOST_SIDES = 8
_MOST_CHANGES = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """An experiment with all that is shown of it, as read at a time."""

    experiment: Experiment
    sides: Sequence[Standing]
    changes: Sequence[Audit]
    promotable: Sequence[str]
    """The versions of its arms that the records would promote now."""
    two_persons: bool
    consents: Sequence[tuple[str, str]]
    """Who agreed to promote which version."""
    at: datetime
    names: VersionNames = BY_ID


def experiment_message(shown: Shown) -> Content:
    """The one message of an experiment."""
    words = wording.experiments.FALLBACKS[shown.experiment.state]
    return content(escaped(words.format(assistant=shown.experiment.assistant)), _blocks(shown))


def experiment_view(shown: Shown) -> dict[str, Any]:
    """The same as a modal, for whoever asks how it stands."""
    view = View(
        type="modal",
        callback_id="experiment",
        title=PlainTextObject(text=wording.experiments.VIEW_TITLE),
        close=PlainTextObject(text=wording.machine.CLOSE),
        blocks=_blocks(shown),
    )
    return view.to_dict()


def _blocks(shown: Shown) -> list[Block]:
    """How it stands and, while it runs, what may be done about it."""
    changes = [_change(change) for change in shown.changes[-_MOST_CHANGES:]]
    blocks = [
        line(_title(shown.experiment)),
        *_sides(shown),
        small(wording.experiments.NO_VERDICT.format(at=moment(shown.at))),
        *([small(*changes)] if changes else []),
    ]
    if shown.experiment.state is ExperimentState.RUNNING:
        blocks += [*_consents(shown), buttons("experiment", *_buttons(shown))]
    return blocks


def digest_message(shown: Shown, *, day: int) -> Content:
    """How it stands on its `day`-th day."""
    name = shown.experiment.assistant
    title = wording.experiments.DIGEST_TITLE.format(assistant=literal(name), day=day)
    blocks = [
        line(title),
        *_sides(shown),
        small(wording.experiments.NO_VERDICT.format(at=moment(shown.at))),
    ]
    notice = wording.experiments.DIGEST_FALLBACK.format(assistant=name, day=day)
    return content(escaped(notice), blocks)


def alert_message(experiment: Experiment, kind: AlertKind, sentence: str) -> Content:
    """Why somebody should look at it now."""
    title = wording.experiments.ALERTS[kind].format(assistant=literal(experiment.assistant))
    notice = wording.experiments.ALERT_FALLBACKS[kind].format(assistant=experiment.assistant)
    next_step = small(wording.experiments.ALERT_NEXT)
    return content(escaped(notice), [line(title), *said(sentence, most=1), next_step])


def _title(experiment: Experiment) -> str:
    return wording.experiments.TITLES[experiment.state].format(
        assistant=literal(experiment.assistant),
        at=moment(experiment.started_at),
        until=moment(experiment.stopped_at) if experiment.stopped_at else "",
    )


def _sides(shown: Shown) -> list[Block]:
    sides = shown.sides[:_MOST_SIDES]
    return [line(f"{_side(side, shown.names)}\n{_counts(side)}") for side in sides]


def _side(side: Standing, names: VersionNames) -> str:
    words = wording.experiments.CHAMPIONS_SIDE if side.arm is None else wording.experiments.ARM_SIDE
    return words.format(
        version=literal(names.first(side.version or "")),
        arm=literal(side.arm or ""),
        share=f"{side.share:.0%}",
    )


def _counts(side: Standing) -> str:
    words = wording.experiments
    if not side.conversations:
        return words.SIDE_NOTHING
    counts = words.SIDE_COUNTS.format(
        customers=f"{side.customers:,}",
        conversations=f"{side.conversations:,}",
        escalated=f"{side.escalated:,}",
        escalated_share=_share(side.escalated, side.conversations),
        flagged=f"{side.flagged:,}",
        flagged_share=_share(side.flagged, side.conversations),
        rated=f"{side.rated:,}",
    )
    return " · ".join([counts, *_ratings(side)])


def _share(count: int, of: int) -> str:
    return wording.experiments.SHARE_OF.format(share=f"{count / of:.1%}") if count else ""


def _ratings(side: Standing) -> list[str]:
    found = []
    if side.thumbs:
        words = wording.experiments.THUMBS
        found.append(words.format(up=f"{side.thumbs_up:,}", thumbs=f"{side.thumbs:,}"))
    if side.mean_csat is not None:
        words = wording.experiments.CSAT
        found.append(words.format(mean=f"{side.mean_csat:.2f}", count=f"{side.csat:,}"))
    return found


def _change(change: Audit) -> str:
    by, at = who(change.actor), moment(change.created_at)
    match change.action:
        case "start_experiment":
            return wording.experiments.STARTED.format(who=by, at=at)
        case "ramp_experiment":
            after = change.detail.get("after") or {}
            shares = [
                wording.experiments.ARM_SHARE.format(arm=literal(arm), share=f"{share:.0%}")
                for arm, share in after.items()
            ]
            return wording.experiments.RAMPED.format(who=by, shares=", ".join(shares), at=at)
        case _:
            return wording.experiments.STOPPED.format(who=by, at=at)


def _consents(shown: Shown) -> list[Block]:
    if not shown.two_persons:
        return []
    words = wording.releases.CONSENT
    agreed = [
        words.format(who=who(agent), version=literal(shown.names.full(version)))
        for agent, version in shown.consents
    ]
    return [line(sentence) for sentence in agreed[:3]]


def _buttons(shown: Shown) -> list[Button]:
    promote = [_promote(shown, v, place=n) for n, v in enumerate(shown.promotable[:4])]
    stop = Button(
        wording.experiments.STOP,
        "stop_experiment",
        shown.experiment.id,
        style="danger",
        question=wording.experiments.STOP_QUESTION.format(assistant=shown.experiment.assistant),
    )
    return [*promote, *_ramps(shown.experiment, shown.names), stop]


def _promote(shown: Shown, version: str, *, place: int) -> Button:
    single = len(shown.experiment.arms) == 1
    words = wording.releases.PROMOTE if single else wording.experiments.PROMOTE_VERSION
    agreed = [actor for actor, agreed_to in shown.consents if agreed_to == version]
    question = promotion_question(two_persons=shown.two_persons, consents=agreed)
    champion = next((side.version for side in shown.sides if side.arm is None), None)
    return Button(
        words.format(version=shown.names.short(version)),
        f"promote_arm:{place}",
        f"{shown.experiment.id} {version}",
        style="primary",
        question=question.format(
            challenger=shown.names.full(version),
            champion=shown.names.full(champion or ""),
            assistant=shown.experiment.assistant,
        ),
    )


def _ramps(experiment: Experiment, names: VersionNames) -> list[Button]:
    """Greater shares for the only arm; with several arms they would have to share them."""
    if len(experiment.arms) != 1:
        return []
    (arm,) = experiment.arms
    return [
        Button(
            wording.experiments.RAMP.format(share=f"{percent}%"),
            f"ramp:{percent}",
            experiment.id,
            question=wording.experiments.RAMP_QUESTION.format(
                version=names.full(arm.version),
                share=f"{percent}%",
                assistant=experiment.assistant,
            ),
        )
        for percent in RAMPS
        if percent / 100 > arm.share
    ]
