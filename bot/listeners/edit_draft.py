"""*Edit and send* on a draft: a form with its words, which become its owner's reply.

The same source as by *Send to customer*: whichever comes first is the one reply.
"""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.views.draft_form import CALLBACK, Draft, draft_modal, read_words
from bot.views.notice import notice_modal
from records import drafts
from records.revisions import slack_source


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button and the form; the draft's message changes through the outbox."""

    @app.action("edit_draft")
    async def edit(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        message = body["message"]
        channel, thread = body["channel"]["id"], message.get("thread_ts")
        draft = Draft(action["value"], channel, message["ts"], thread)
        form = _form(desk, draft, agent=body["user"]["id"])
        work = open_form(client, body["trigger_id"], work=form)
        await attendance.attend(Place.of(client, body), work)

    @app.view(CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        words = read_words(view)
        if not words:
            await ack(response_action="errors", errors={"words": wording.asking.EDIT_DRAFT_EMPTY})
            return
        draft = Draft.loaded(view["private_metadata"])
        place = Place(client, body["user"]["id"], draft.channel, draft.thread_ts)
        sentence = await attendance.answer(place, _send(desk, draft, words, agent=place.user))
        if sentence:
            title = wording.asking.EDIT_DRAFT_TITLE
            await ack(response_action="update", view=notice_modal(sentence, title=title))
        else:
            await ack()


async def _form(desk: Desk, draft: Draft, *, agent: str) -> dict[str, Any]:
    words = await desk.read(lambda session: drafts.to_edit(session, draft.turn, agent=agent))
    return draft_modal(draft, words)


async def _send(desk: Desk, draft: Draft, words: str, *, agent: str) -> None:
    source = slack_source(draft.channel, draft.ts)
    await desk.write(
        lambda session: drafts.send(
            session, draft.turn, agent=agent, source_key=source, words=words
        )
    )
