"""`/compare A B`: the newest report on two versions, or how to get one.

Versions are named as they are in a question to the bot; one alone is compared with the champion.
"""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.asking.question_grammar import Question, Unclear, understand
from bot.asking.vocabulary import vocabulary
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.messages.releases import summary, why
from bot.releases.addressed import assistant_here, words_of
from bot.releases.naming import names_of
from bot.views.content import Content
from bot.views.report import dated_report
from records import reports
from records.errors import InvalidInput

_TWO = 2


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the command; the answer is seen by whoever asked."""

    @app.command("/compare")
    async def by_command(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        place = Place(client, command["user_id"], command["channel_id"])
        await attendance.attend(place, desk.read(lambda s: _compared(s, desk, command)))


def _compared(session: Session, desk: Desk, command: dict[str, Any]) -> str | Content:
    wanted = _wanted(session, desk, command)
    first, second = wanted.versions
    report, names = reports.newest_on(session, first, second), names_of(session, wanted.assistant)
    if report is None:
        words = wording.releases.NO_REPORT
        return words.format(
            one=names.first(first), other=names.full(second), first=first, second=second
        )
    return dated_report(report, summary=summary(desk, report), why=why(report), names=names)


def _wanted(session: Session, desk: Desk, command: dict[str, Any]) -> Question:
    """The two versions that are named.

    Raises:
        InvalidInput: what is named are not two versions of one assistant.
    """
    named, known = words_of(command), sorted(desk.assistants)
    if named and named[0].rstrip(":") in known:  # `support 2 3`
        named[0] = named[0].rstrip(":") + ":"
    else:
        named.insert(0, "")
    words = vocabulary(session, known, here=assistant_here(desk, command))
    text = f"{named[0]} compare {' '.join(named[1:])}:"
    wanted = understand(text, words, may_be_empty=True)
    if isinstance(wanted, Unclear):
        raise InvalidInput(wanted.sentence)
    if not isinstance(wanted, Question) or len(wanted.versions) != _TWO or wanted.words:
        raise InvalidInput(wording.releases.COMPARE_USAGE)
    return wanted
