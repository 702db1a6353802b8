"""Messages about retraining, reports and releases."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.messages.area import Area, Telling
from bot.rendered import Nothing, Rendered, Upload
from bot.views.content import Content
from bot.views.job import job_message
from bot.views.report import Standing, refusal_message, release_message, report_message
from records import jobs, outbox, reports, versions
from records.errors import NotFound
from records.outbox import Kind
from records.tables import Release, Report

_ALT_TEXT = 1000


def _job(tell: Telling) -> Content:
    return job_message(jobs.get(tell.session, tell.row.subject))


def _report(tell: Telling) -> Content:
    report = reports.get(tell.session, tell.row.subject)
    return report_message(
        report,
        summary=_summary(tell.desk, report),
        why=_why(report),
        standing=_standing(tell.session, report),
    )


def _standing(session: Session, report: Report) -> Standing:
    pointer = versions.pointer(session, report.assistant)
    last = session.scalar(
        select(Release)
        .where(
            Release.assistant == report.assistant,
            (Release.version == report.challenger) | (Release.replaces == report.challenger),
        )
        .order_by(Release.id.desc())
        .limit(1)
    )
    return Standing(
        pointer.version if pointer else None,
        last,
        may_promote=versions.may_promote(session, report),
    )


def _summary(desk: Desk, report: Report) -> str:
    try:
        return (desk.artifacts.fetch(report.path) / "report.md").read_text()
    except (NotFound, FileNotFoundError):
        return ""


def _why(report: Report) -> str:
    why = report.body.get("why") or report.body.get("reasons") or ""
    return "\n".join(str(part) for part in why) if isinstance(why, list) else str(why)


def _release(tell: Telling) -> Content:
    release = tell.session.get(Release, tell.row.payload["release"])
    if release is None:
        raise NotFound(f"No release {tell.row.payload['release']!r}.")
    return release_message(release)


def _refusal(tell: Telling) -> Content:
    return refusal_message(tell.row.subject, reason=str(tell.row.payload.get("reason", "")))


def _plot(tell: Telling) -> Rendered:
    report = reports.get(tell.session, tell.row.subject)
    message = outbox.message_of(tell.session, Kind.REPORT_READY, report.id)
    path = tell.desk.artifacts.fetch(report.path) / "plot.png"
    if message is None or not message.channel or not message.ts or not path.is_file():
        return Nothing("there is no plot, or no report to add it to")
    against = f" and {report.champion}" if report.champion else ""
    alt_text = report.body.get("alt_text") or f"Metrics of {report.challenger}{against}, plotted"
    return Upload(message.channel, message.ts, path, f"{report.id}.png", str(alt_text)[:_ALT_TEXT])


AREA = Area(
    contents={
        Kind.JOB_STARTED: _job,
        Kind.REPORT_READY: _report,
        Kind.RELEASED: _release,
        Kind.VERSION_REFUSED: _refusal,
    },
    renders={Kind.REPORT_PLOT: _plot},
)
