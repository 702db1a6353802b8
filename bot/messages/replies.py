"""What is shown of an agent's words: waiting, with the customer, unread, or taken back."""

from bot.messages.area import Area, Telling, latest_card, posted
from bot.outbox.rendered import Nothing, Reaction, Rendered
from bot.views.content import Content
from bot.views.reply import unread_message
from records import conversations, delivery, revisions
from records.outbox import Kind

WAITING = "hourglass_flowing_sand"
DELIVERED = "white_check_mark"
INTERNAL = "lock"


def _waiting(tell: Telling) -> Rendered:
    turn = conversations.turn(tell.session, tell.row.subject)
    if not turn.waits_for_its_reader:
        return Nothing("the customer has it already, or it was taken back")
    place = revisions.slack_message(turn)
    return Reaction(*place, WAITING) if place else Nothing("it was not written in Slack")


def _delivered(tell: Telling) -> Rendered:
    turn = conversations.turn(tell.session, tell.row.subject)
    if turn.removed_at is not None:
        return Nothing("it was taken back")
    place = revisions.slack_message(turn)
    if place is None:
        return Nothing("it was not written in Slack")
    return Reaction(*place, DELIVERED, instead_of=(WAITING,))


def _taken_back(tell: Telling) -> Rendered:
    place = revisions.slack_message(conversations.turn(tell.session, tell.row.subject))
    if place is None:
        return Nothing("it was not written in Slack")
    return Reaction(*place, name="", instead_of=(WAITING, DELIVERED))


def _internal(tell: Telling) -> Rendered:
    place = tell.row.payload
    return Reaction(place["channel"], place["ts"], INTERNAL)


def _unread(tell: Telling) -> Content:
    turn = conversations.turn(tell.session, tell.row.subject)
    tries = delivery.sent_again(tell.session, turn.id)
    in_vain = delivery.said_still_unread(tell.session, turn.id, tries=len(tries))
    return unread_message(turn, tries=tries, in_vain=in_vain)


def _unread_in_thread(tell: Telling) -> Rendered:
    turn = conversations.turn(tell.session, tell.row.subject)
    if not turn.waits_for_its_reader:
        return Nothing("the customer has it meanwhile, or it was taken back")
    return posted(tell, _unread(tell), under=latest_card(tell.session, turn.conversation_id))


AREA = Area(
    contents={Kind.REPLY_UNREAD: _unread},
    renders={
        Kind.REPLY_WAITING: _waiting,
        Kind.REPLY_RELAYED: _delivered,
        Kind.MESSAGE_INTERNAL: _internal,
        Kind.REPLY_TAKEN_BACK: _taken_back,
        Kind.REPLY_UNREAD: _unread_in_thread,
    },
)
