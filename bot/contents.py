"""The contents of messages, by the kind that posts them, read from the records as they are now."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.views.content import Content
from bot.views.escalation import escalation_card, turn_message
from bot.views.example import example_card
from bot.views.job import job_message
from bot.views.report import Standing, refusal_message, release_message, report_message
from records import conversations, escalations, jobs, learning, reports, versions
from records.errors import NotFound
from records.messages import Role
from records.outbox import Kind
from records.tables import Conversation, Escalation, Flag, OutboxMessage, Release, Report, Turn


class Contents:
    """Reads what a message needs and gives it to its view."""

    def __init__(self, session: Session, desk: Desk) -> None:
        self._session = session
        self._desk = desk

    def of(self, kind: Kind, row: OutboxMessage) -> Content:
        """The content of the message of a kind that posts.

        Raises:
            NotFound: what it is about is gone.
        """
        builders = {
            Kind.ESCALATION_OPENED: self._card,
            Kind.TURN_ADDED: self._turn,
            Kind.EXAMPLE_PROPOSED: self._example,
            Kind.JOB_STARTED: self._job,
            Kind.REPORT_READY: self._report,
        }
        if kind is Kind.RELEASED:
            return self._release(row.payload["release"])
        if kind is Kind.VERSION_REFUSED:
            return refusal_message(row.subject, reason=str(row.payload.get("reason", "")))
        return builders[kind](row.subject)

    def _card(self, escalation_id: str) -> Content:
        escalation = escalations.get(self._session, escalation_id)
        conversation = conversations.get(self._session, escalation.conversation_id)
        turns = conversations.history(self._session, conversation.id)
        asked = [
            t for t in turns if t.role is Role.CUSTOMER and t.created_at <= escalation.opened_at
        ]
        return escalation_card(
            escalation,
            conversation,
            question=asked[-1].content if asked else "",
            version=_version_shown(escalation, conversation, turns),
        )

    def _turn(self, turn_id: str) -> Content:
        flags = self._session.scalars(
            select(Flag).where(Flag.turn_id == turn_id).order_by(Flag.created_at, Flag.id)
        )
        return turn_message(conversations.turn(self._session, turn_id), flags=list(flags))

    def _example(self, example_id: str) -> Content:
        example = learning.get_example(self._session, example_id)
        assistant = self._desk.assistant(example.assistant)
        return example_card(example, handoff_sentence=assistant.handoff_sentence)

    def _job(self, job_id: str) -> Content:
        return job_message(jobs.get(self._session, job_id))

    def _report(self, report_id: str) -> Content:
        report = reports.get(self._session, report_id)
        return report_message(
            report,
            summary=self._summary(report),
            why=_why(report),
            standing=self._standing(report),
        )

    def _standing(self, report: Report) -> Standing:
        pointer = versions.pointer(self._session, report.assistant)
        last = self._session.scalar(
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
            may_promote=versions.may_promote(self._session, report),
        )

    def _summary(self, report: Report) -> str:
        try:
            return (self._desk.artifacts.fetch(report.path) / "report.md").read_text()
        except (NotFound, FileNotFoundError):
            return ""

    def _release(self, release_id: int) -> Content:
        release = self._session.get(Release, release_id)
        if release is None:
            raise NotFound(f"No release {release_id!r}.")
        return release_message(release)


def _version_shown(
    escalation: Escalation, conversation: Conversation, turns: list[Turn]
) -> str | None:
    """The version that gave the answer which led here."""
    cause = [t.version for t in turns if t.id == escalation.turn_id and t.version]
    return cause[0] if cause else conversation.version


def _why(report: Report) -> str:
    why = report.body.get("why") or report.body.get("reasons") or ""
    return "\n".join(str(part) for part in why) if isinstance(why, list) else str(why)
