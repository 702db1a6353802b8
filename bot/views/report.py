"""The report of an evaluation, with what may be done about it, and the line after a release."""

from dataclasses import dataclass

from slack_sdk.models.blocks import Block, HeaderBlock, MarkdownBlock, PlainTextObject

from bot import wording
from bot.text import clean, cut, escaped, literal, who
from bot.views.content import Button, Content, buttons, content, line, moment, said, small
from records.states import ReleaseAction
from records.tables import Release, Report

_SUMMARY = 9000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the report's versions stand now: the champion, and the last release of either.

    `may_promote` is the records' own rule, so that no button is offered and then refused.
    """

    champion: str | None
    last_release: Release | None
    may_promote: bool


def report_message(report: Report, *, summary: str, why: str, standing: Standing) -> Content:
    """The report; `summary` is Markdown of ours, `why` the gate's sentence."""
    verdict = wording.releases.VERDICTS[report.verdict] if report.verdict else "measured"
    against = f" against {report.champion}" if report.champion else ""
    title = f"{report.challenger}{against}"
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=cut(f"Report: {title}", 150))),
        line(f"*{verdict}*"),
        *(said(why, most=1) if why else []),
    ]
    if summary.strip():
        blocks.append(MarkdownBlock(text=cut(clean(summary).replace("<", "&lt;"), _SUMMARY)))
    blocks += [*_outcome(standing), *_choices(report, standing), small(report.id)]
    return content(escaped(f"{title}: {report.verdict or 'measured'}"), blocks)


def _choices(report: Report, standing: Standing) -> list[Block]:
    if standing.may_promote:
        question = f"{report.challenger} then answers all customers of {report.assistant}."
        button = Button(
            wording.releases.PROMOTE, "promote", report.id, style="primary", question=question
        )
        return [buttons("release", button)]
    if standing.champion == report.challenger:
        question = f"The version before {report.challenger} then answers all customers again."
        button = Button(
            wording.releases.ROLL_BACK, "rollback", report.id, style="danger", question=question
        )
        return [buttons("release", button)]
    return []


def _outcome(standing: Standing) -> list[Block]:
    release = standing.last_release
    return [line(_sentence(release))] if release is not None else []


def refusal_message(version: str, *, reason: str) -> Content:
    """The line that says that a version is not served though it should be."""
    title = wording.releases.REFUSED.format(version=literal(version))
    return content(escaped(cut(title, 200)), [line(title), *said(reason, most=1)])


def release_message(release: Release) -> Content:
    """The line that says what answers customers from now on."""
    return content(
        escaped(f"{release.version} serves {release.assistant}"), [line(_sentence(release))]
    )


def _sentence(release: Release) -> str:
    version, at = literal(release.version), moment(release.created_at)
    if release.action is ReleaseAction.ROLLBACK:
        gone = literal(release.replaces) if release.replaces else "the version before"
        return f":rewind: Rolled back from {gone} to *{version}* by {who(release.actor)}, {at}"
    instead = f" in place of {literal(release.replaces)}" if release.replaces else ""
    return f":rocket: *{version}* was promoted{instead} by {who(release.actor)}, {at}"
