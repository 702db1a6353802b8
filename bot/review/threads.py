"""In which thread an example's conversation can be read."""

from sqlalchemy.orm import Session

from bot.messages.area import latest_card
from records.tables import Example, Flag


def thread_of(session: Session, example: Example) -> tuple[str, str] | None:
    """Channel and `ts` of the thread in which it was flagged, or else of its newest card's.

    Somebody's own conversation with the bot is nobody else's to read.
    """
    flag = session.get(Flag, example.flag_id) if example.flag_id else None
    if flag is not None and flag.channel and flag.thread_ts and not _is_direct(flag.channel):
        return flag.channel, flag.thread_ts
    card = latest_card(session, example.conversation_id)
    return (card.channel, card.ts) if card is not None and card.channel and card.ts else None


def _is_direct(channel: str) -> bool:
    return channel.startswith("D")
