"""Messages about retraining, reports and releases."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from bot.messages.area import Area, Telling, posted
from bot.outbox.rendered import Nothing, Rendered, Update, Upload
from bot.releases.naming import names_of
from bot.views.content import Content
from bot.views.job import job_message
from bot.views.report import (
    Standing,
    refusal_message,
    release_message,
    report_details,
    report_message,
)
from records import consents, discarding, experiments, jobs, outbox, reports, versions
from records.errors import NotFound
from records.outbox import Kind
from records.states import JobState, ReleaseAction
from records.tables import Release, Report, Version

_ALT_TEXT = 1000
_CHANGES = "changes.csv"


def _job(tell: Telling) -> Content:
    job = jobs.get(tell.session, tell.row.subject)
    cancelled = job.state is JobState.CANCELLED
    return job_message(
        job,
        cancelled_by=jobs.cancelled_by(tell.session, job.id) if cancelled else None,
        names=names_of(tell.session, job.assistant),
    )


def _report(tell: Telling) -> Content:
    report = reports.get(tell.session, tell.row.subject)
    job = jobs.of_report(tell.session, report.id)
    return report_message(
        report,
        why=why(report),
        standing=_standing(tell.session, report, desk=tell.desk),
        spent=job.spent if job is not None else None,
    )


def _standing(session: Session, report: Report, *, desk: Desk) -> Standing:
    pointer = versions.pointer(session, report.assistant)
    challenger = session.get(Version, report.challenger)
    running = experiments.running(session, report.assistant)
    shares = {arm.version: arm.share for arm in running.arms} if running else {}
    return Standing(
        pointer.version if pointer else None,
        _last_release(session, report),
        may_promote=versions.may_promote(session, report),
        may_try=report.challenger not in shares and versions.may_try(session, report.challenger),
        may_discard=discarding.may_discard(session, report.challenger),
        discarded_by=discarding.discarded_by(session, report.challenger),
        tried_share=shares.get(report.challenger),
        two_persons=desk.assistant(report.assistant).slack.two_person_promotion,
        consents=consents.to_promote(session, challenger) if challenger else (),
        names=names_of(session, report.assistant),
    )


def _last_release(session: Session, report: Report) -> Release | None:
    return session.scalar(
        select(Release)
        .where(
            Release.assistant == report.assistant,
            (Release.version == report.challenger) | (Release.replaces == report.challenger),
        )
        .order_by(Release.id.desc())
        .limit(1)
    )


def summary(desk: Desk, report: Report) -> str:
    """A report as it was written; empty where its files are gone."""
    try:
        return (desk.artifacts.fetch(report.path) / "report.md").read_text()
    except (NotFound, FileNotFoundError):
        return ""


def why(report: Report) -> list[str]:
    """The gate's sentences on a report, the telling ones first."""
    return [str(sentence) for sentence in report.body.get("reasons") or []]


def _tables(tell: Telling) -> Rendered:
    report = reports.get(tell.session, tell.row.subject)
    message = outbox.message_of(tell.session, Kind.REPORT_READY, report.id)
    details = report_details(
        report,
        summary=summary(tell.desk, report),
        why=why(report),
        names=names_of(tell.session, report.assistant),
    )
    if message is None or details is None:
        return Nothing("there is nothing more to tell, or no report to add it to")
    return posted(tell, details, under=message)


def _release(tell: Telling) -> Content:
    release = tell.session.get(Release, tell.row.payload["release"])
    if release is None:
        raise NotFound(wording.releases.NO_RELEASE.format(release=tell.row.payload["release"]))
    current = versions.pointer(tell.session, release.assistant)
    is_standing = current is not None and current.id == release.id
    return release_message(
        release,
        may_go_back=is_standing and release.action is ReleaseAction.PROMOTE,
        names=names_of(tell.session, release.assistant),
    )


def _release_changed(tell: Telling) -> Rendered:
    """The message of that release only: the version may have been promoted before."""
    release = tell.row.payload["release"]
    shown = outbox.shown(tell.session, Kind.RELEASED, tell.row.subject)
    of_it = [row for row in shown if row.payload["release"] == release]
    if not of_it:
        return Nothing("its message was never sent")
    targets = tuple((row.channel or "", row.ts or "") for row in of_it)
    return Update(targets, _release(tell))


def _refusal(tell: Telling) -> Content:
    version = versions.get(tell.session, tell.row.subject)
    return refusal_message(
        version.id,
        reason=str(tell.row.payload.get("reason", "")),
        names=names_of(tell.session, version.assistant),
    )


def _plot(tell: Telling) -> Rendered:
    report = reports.get(tell.session, tell.row.subject)
    compared = filter(None, (report.champion, report.challenger))
    named = map(names_of(tell.session, report.assistant).full, compared)
    alt_text = report.body.get("alt_text") or wording.releases.PLOT.format(
        versions=", ".join(named)
    )
    alt_text = str(alt_text)[:_ALT_TEXT]
    return _file(tell, report, "plot.png", shown=f"{report.id}.png", alt_text=alt_text)


def _changes(tell: Telling) -> Rendered:
    report = reports.get(tell.session, tell.row.subject)
    comment = wording.releases.CHANGES_COMMENT
    return _file(tell, report, _CHANGES, shown=f"{report.id}-changes.csv", comment=comment)


def _file(
    tell: Telling, report: Report, name: str, *, shown: str, alt_text: str = "", comment: str = ""
) -> Rendered:
    """A file of a report, for the thread of the report's message."""
    message = outbox.message_of(tell.session, Kind.REPORT_READY, report.id)
    path = tell.desk.artifacts.fetch(report.path) / name
    if message is None or not message.channel or not message.ts or not path.is_file():
        return Nothing("there is no such file, or no report to add it to")
    return Upload(message.channel, message.ts, path, shown, alt_text=alt_text, comment=comment)


AREA = Area(
    contents={
        Kind.JOB_STARTED: _job,
        Kind.REPORT_READY: _report,
        Kind.RELEASED: _release,
        Kind.VERSION_REFUSED: _refusal,
    },
    renders={
        Kind.RELEASED_CHANGED: _release_changed,
        Kind.REPORT_TABLES: _tables,
        Kind.REPORT_PLOT: _plot,
        Kind.REPORT_CHANGES: _changes,
    },
)
