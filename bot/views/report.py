"""The report of an evaluation, with what may be done about it, and the line after a release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import Block, HeaderBlock, PlainTextObject

from bot import wording
from bot.text import cut, escaped, literal, who
from bot.views.content import Button, Content, buttons, content, line, moment, said, small
from bot.views.report_figures import changed_line, slice_lines, tables
from bot.views.spent import spent_line
from bot.views.version_names import BY_ID, VersionNames
from records.states import ReleaseAction
from records.tables import Release, Report

_FIRST = 2
"""How many of the gate's sentences stand in the channel: the gate puts the telling ones first."""
FIRST_SHARE = 0.1
"""The share of customers that a report offers for a first experiment."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the report's versions stand now, and what may be done: the records' own rules."""

    champion: str | None
    last_release: Release | None
    """The last one of either version."""
    may_promote: bool
    may_try: bool = False
    may_discard: bool = False
    discarded_by: str | None = None
    tried_share: float | None = None
    """Its share of the customers, while an experiment tries the challenger."""
    two_persons: bool = False
    """Whether a promotion needs the word of two operators."""
    consents: Sequence[str] = field(default=())
    """Who agreed to promote it."""
    names: VersionNames = BY_ID


def report_message(
    report: Report,
    *,
    why: Sequence[str],
    standing: Standing,
    spent: Mapping[str, Any] | None = None,
) -> Content:
    """The report in short, with what may be done; `why` are the gate's sentences.

    `spent` is what its retraining took (`Job.spent`), where one made it.
    The rest stands in its thread: who promotes from a telephone has the buttons in sight.
    """
    blocks = [
        *_verdict_blocks(report, why[:_FIRST], standing.names),
        small(changed_line(report.body), wording.releases.IN_THREAD),
        *_outcomes(report, standing),
        *_choices(report, standing),
        small(spent_line(spent or {}), report.id),
    ]
    return content(_fallback(report, standing.names), blocks)


def report_details(
    report: Report, *, summary: str, why: Sequence[str], names: VersionNames = BY_ID
) -> Content | None:
    """The rest of a report, for its thread; `summary` is Markdown of ours. None: there is none."""
    blocks = [*_reasons([*why[_FIRST:], *_to_settle(report)]), *_figures(report, summary, names)]
    return content(wording.releases.DETAILS_FALLBACK, blocks) if blocks else None


def dated_report(
    report: Report, *, summary: str, why: Sequence[str], names: VersionNames = BY_ID
) -> Content:
    """A report for whoever asks for it, with when it was made and without buttons."""
    made = wording.releases.REPORT_FROM.format(at=moment(report.created_at))
    blocks = [
        *_verdict_blocks(report, why, names),
        *_figures(report, summary, names),
        small(changed_line(report.body), made, report.id),
    ]
    return content(_fallback(report, names), blocks)


def _verdict_blocks(report: Report, why: Sequence[str], names: VersionNames) -> list[Block]:
    return [
        HeaderBlock(text=PlainTextObject(text=cut(_title(report, names), 150))),
        line(wording.releases.VERDICT_LINE.format(verdict=_verdict(report))),
        *_reasons(why),
    ]


def _reasons(sentences: Sequence[str]) -> list[Block]:
    return said("\n".join(sentences), most=1) if sentences else []


def _to_settle(report: Report) -> list[str]:
    return [str(sentence) for sentence in report.body.get("settle") or []]


def _figures(report: Report, summary: str, names: VersionNames) -> list[Block]:
    shown = tables(_headed(summary, report, names))
    bounds = [small(wording.releases.BOUNDS)] if shown and report.body.get("slices") else []
    return [*shown, *bounds, *[line(words) for words in slice_lines(report.body)]]


def _headed(summary: str, report: Report, names: VersionNames) -> str:
    """The report with its versions' numbers as heads of columns: their ids stand above."""
    for version in filter(None, (report.champion, report.challenger)):
        summary = summary.replace(f"| {version} |", f"| {names.short(version)} |")
    return summary


def _verdict(report: Report) -> str:
    return wording.releases.VERDICTS[report.verdict] if report.verdict else _measured()


def _measured() -> str:
    return wording.releases.MEASURED


def _title(report: Report, names: VersionNames) -> str:
    challenger = names.full(report.challenger)
    if report.champion is None:
        return wording.releases.REPORT_TITLE.format(challenger=challenger)
    return wording.releases.REPORT_TITLE_AGAINST.format(
        challenger=challenger, champion=names.full(report.champion)
    )


def _fallback(report: Report, names: VersionNames) -> str:
    verdict, challenger = report.verdict or _measured(), names.first(report.challenger)
    if report.champion is None:
        words = wording.releases.REPORT_FALLBACK
        return escaped(words.format(challenger=challenger, verdict=verdict))
    words, champion = wording.releases.REPORT_FALLBACK_AGAINST, names.full(report.champion)
    return escaped(words.format(challenger=challenger, champion=champion, verdict=verdict))


def _outcomes(report: Report, standing: Standing) -> list[Block]:
    """What was done about it so far, and by whom."""
    words, found = wording.releases, []
    if standing.last_release is not None:
        found.append(release_sentence(standing.last_release, names=standing.names))
    if standing.discarded_by is not None:
        found.append(words.DISCARDED.format(who=who(standing.discarded_by)))
    if standing.tried_share is not None:
        found.append(words.EXPERIMENT_RUNS.format(share=f"{standing.tried_share:.0%}"))
    if standing.may_promote and standing.two_persons:
        version = literal(standing.names.full(report.challenger))
        agreed = [words.CONSENT.format(who=who(a), version=version) for a in standing.consents]
        found += agreed[:3]
    return [line(sentence) for sentence in found]


def _choices(report: Report, standing: Standing) -> list[Block]:
    found = []
    if standing.may_try:
        found.append(_start(report, standing))
    if standing.may_promote:
        found.append(_promote(report, standing))
    if standing.champion == report.challenger:
        found.append(_button(report, standing, wording.releases.ROLL_BACK, "rollback"))
    if standing.may_discard:
        found.append(_button(report, standing, wording.releases.DISCARD, "discard"))
    if standing.discarded_by is not None:
        found.append(_button(report, standing, wording.releases.TAKE_BACK, "take_back"))
    return [buttons("release", *found)] if found else []


_QUESTIONS = {
    "rollback": wording.releases.ROLL_BACK_QUESTION,
    "discard": wording.releases.DISCARD_QUESTION,
    "take_back": wording.releases.TAKE_BACK_QUESTION,
    "start_experiment": wording.releases.START_EXPERIMENT_QUESTION,
}
_DANGER = ("rollback", "discard")


def _button(report: Report, standing: Standing, label: str, action: str) -> Button:
    style = "danger" if action in _DANGER else None
    question = _QUESTIONS[action].format(**_names(report, standing))
    return Button(label, action, report.id, style=style, question=question)


def _start(report: Report, standing: Standing) -> Button:
    label = wording.releases.START_EXPERIMENT.format(share=f"{FIRST_SHARE:.0%}")
    return _button(report, standing, label, "start_experiment")


def _promote(report: Report, standing: Standing) -> Button:
    question = promotion_question(two_persons=standing.two_persons, consents=standing.consents)
    return Button(
        wording.releases.PROMOTE,
        "promote",
        report.id,
        style="primary",
        question=question.format(**_names(report, standing)),
    )


def promotion_question(*, two_persons: bool, consents: Sequence[str]) -> str:
    """What is asked before a promotion."""
    if not two_persons:
        return wording.releases.PROMOTE_QUESTION
    if not consents:
        return wording.releases.PROMOTE_QUESTION_FIRST
    return wording.releases.PROMOTE_QUESTION_SECOND


def _names(report: Report, standing: Standing) -> dict[str, str]:
    return {
        "challenger": standing.names.full(report.challenger),
        "champion": standing.names.full(standing.champion or str(report.champion)),
        "assistant": report.assistant,
        "share": f"{FIRST_SHARE:.0%}",
    }


def refusal_message(version: str, *, reason: str, names: VersionNames = BY_ID) -> Content:
    """The line that says that a version is not served though it should be."""
    title = wording.releases.REFUSED.format(version=literal(names.first(version)))
    return content(escaped(cut(title, 200)), [line(title), *said(reason, most=1)])


def release_message(
    release: Release, *, may_go_back: bool = False, names: VersionNames = BY_ID
) -> Content:
    """The line that says what answers customers from now on, and the way back."""
    words = wording.releases.RELEASED_FALLBACK
    version = names.first(release.version)
    fallback = words.format(version=version, assistant=release.assistant)
    back = [buttons("release", _way_back(release, names))] if may_go_back else []
    return content(escaped(fallback), [line(release_sentence(release, names=names)), *back])


def _way_back(release: Release, names: VersionNames) -> Button:
    """It names the version too: by that it is known whose it is."""
    words = wording.releases
    return Button(
        words.ROLL_BACK,
        "rollback_release",
        f"{release.version} {release.id}",
        style="danger",
        question=words.ROLL_BACK_QUESTION.format(
            challenger=names.full(release.version), assistant=release.assistant
        ),
    )


def release_sentence(release: Release, *, names: VersionNames = BY_ID) -> str:
    """What changed, by whom, and when."""
    words, back = wording.releases, release.action is ReleaseAction.ROLLBACK
    named = names.full if back else names.first
    gaps = {
        "version": literal(named(release.version)),
        "at": moment(release.created_at),
        "who": who(release.actor),
        "replaced": literal(names.full(release.replaces)) if release.replaces else "",
    }
    if back:
        return (words.ROLLED_BACK_FROM if release.replaces else words.ROLLED_BACK).format(**gaps)
    return (words.PROMOTED_FROM if release.replaces else words.PROMOTED).format(**gaps)
