"""Messages about escalations: the card, the transcript in its thread."""

from bot import wording
from bot.messages import asking
from bot.messages.area import Area, Telling, card_of, posted
from bot.messages.threads import NOTES, render_note
from bot.outbox.rendered import Nothing, Rendered, Upload
from bot.releases.naming import names_of
from bot.views.content import Content
from bot.views.escalation import escalation_card
from bot.views.transcript import transcript_text, turn_message
from records import conversations, escalations, flags, transcripts
from records.outbox import Kind
from records.tables import Conversation, OutboxMessage, Turn


def _card(tell: Telling) -> Content:
    escalation = escalations.get(tell.session, tell.row.subject)
    conversation = conversations.get(tell.session, escalation.conversation_id)
    led_here = transcripts.led_here(tell.session, escalation)
    return escalation_card(
        escalation,
        conversation,
        led_here=led_here,
        version=_version_shown(escalation.turn_id, conversation, led_here),
        wrote_again=transcripts.wrote_again(tell.session, escalation),
        names=names_of(tell.session, conversation.assistant),
    )


def _version_shown(
    cause: str | None, conversation: Conversation, led_here: list[Turn]
) -> str | None:
    """The version that gave the answer which led here."""
    by = [turn.version for turn in led_here if turn.id == cause and turn.version]
    return by[0] if by else conversation.version


def _turn(tell: Telling) -> Content:
    if asking.is_trial(tell.session, tell.row.subject):
        return asking.trial_turn(tell)
    turn = conversations.turn(tell.session, tell.row.subject)
    assistant = conversations.get(tell.session, turn.conversation_id).assistant
    return turn_message(
        turn,
        flags=flags.standing(tell.session, turn.id),
        names=names_of(tell.session, assistant),
    )


def _in_thread(tell: Telling) -> Rendered:
    if asking.is_trial(tell.session, tell.row.subject):
        return asking.in_its_thread(tell, _turn(tell))
    card = card_of(tell.session, tell.row.payload.get("escalation"))
    if card is None:
        return Nothing("the card of its thread was never sent")
    return posted(tell, _turn(tell), under=card)


def _snippet(tell: Telling) -> Rendered:
    """The whole of a long turn, as a file."""
    turn = conversations.turn(tell.session, tell.row.subject)
    speaker = wording.conversations.SPEAKERS_PLAIN[turn.role].lower()
    card = card_of(tell.session, tell.row.payload.get("escalation"))
    comment = wording.conversations.TURN_FILE.format(speaker=speaker)
    return _file(card, name=turn.id, turns=[turn], comment=comment)


def _transcript(tell: Telling) -> Rendered:
    """What was said long before an escalation, as one file."""
    escalation = escalations.get(tell.session, tell.row.subject)
    before = int(tell.row.payload["before"])
    turns = conversations.history(tell.session, escalation.conversation_id)
    older = [turn for turn in turns if turn.position < before]
    comment = wording.conversations.TRANSCRIPT_FILE.format(number=len(older))
    card = card_of(tell.session, escalation.id)
    return _file(card, name=f"transcript-{escalation.id}", turns=older, comment=comment)


def _file(card: OutboxMessage | None, *, name: str, turns: list[Turn], comment: str) -> Rendered:
    if card is None or not card.channel or not card.ts:
        return Nothing("the card of its thread was never sent")
    text = transcript_text(turns)
    return Upload(card.channel, card.ts, None, f"{name}.txt", text=text, comment=comment)


AREA = Area(
    contents={Kind.ESCALATION_OPENED: _card, Kind.TURN_ADDED: _turn},
    renders={
        Kind.TURN_ADDED: _in_thread,
        Kind.TURN_SNIPPET: _snippet,
        Kind.TRANSCRIPT: _transcript,
        **dict.fromkeys(NOTES, render_note),
    },
)
