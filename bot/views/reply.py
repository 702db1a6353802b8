"""What becomes of an agent's words to a customer."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from bot import wording
from bot.incoming.message import Message
from bot.text import EMPTY, literal, who
from bot.views.content import Button, Content, buttons, content, line, moment, said, small
from records.tables import Audit, Turn

_SHOWN = 150


def unread_message(turn: Turn, *, tries: Sequence[Audit] = (), in_vain: bool = True) -> Content:
    """Whether a reply has reached the customer, and *Retry* while it has not.

    `tries` are those who sent it again; `in_vain`: the last try was given its time.
    """
    words = wording.replies
    author = who(turn.author or "")
    blocks: list[Block] = []
    if turn.removed_at is not None:
        blocks.append(line(words.UNREAD_REMOVED.format(author=author)))
    elif turn.delivered_at is not None:
        blocks += [line(words.UNREAD_DELIVERED.format(at=moment(turn.delivered_at)))]
        blocks += said(turn.content, most=1)
    else:
        blocks += [line(words.UNREAD.format(author=author, at=moment(turn.created_at)))]
        blocks += said(turn.content, most=1)
        blocks += _tried(turn, tries, in_vain=in_vain or not tries)
    return content(words.UNREAD_PLAIN, blocks)


def _tried(turn: Turn, tries: Sequence[Audit], *, in_vain: bool) -> list[Block]:
    words = wording.replies
    sentence = words.UNREAD_TRIED if in_vain else words.UNREAD_AGAIN
    last = [small(sentence.format(by=who(t.actor), at=moment(t.created_at))) for t in tries[-1:]]
    retry = [buttons("unread", Button(words.RETRY, "send_again", turn.id))] if in_vain else []
    return [*last, *retry]


def unrecorded_notice(message: Message, *, for_good: bool = False) -> Content:
    """That a reply could not be recorded; *Retry* carries where it stands.

    `for_good`: it is not tried again by itself.
    """
    words = wording.replies
    value = f"{message.channel}:{message.thread_ts}:{message.ts}"
    sentence = words.NOT_RECORDED_EVER if for_good else words.NOT_RECORDED
    sentence = sentence.format(words=shown(message))
    retry = buttons("unrecorded", Button(words.RETRY, "retry_reply", value))
    return content(words.NOT_RECORDED_PLAIN, [line(sentence), retry])


def shown(message: Message) -> str:
    """The beginning of a message, or its files' names."""
    return literal(message.words, _SHOWN) if message.words else ", ".join(message.files) or EMPTY
