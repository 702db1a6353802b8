"""In which order waiting rows of the outbox are worked on, and which need no work any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.outbox.kinds import HEADS
from records.outbox import Kind
from records.tables import OutboxMessage


class Method(StrEnum):
    """The call of Slack's that a row leads to; each has a rate limit of its own."""

    POST = "post"
    UPDATE = "update"
    REACT = "react"
    UPLOAD = "upload"


_UPLOADS = (Kind.REPORT_PLOT, Kind.REPORT_CHANGES, Kind.TURN_SNIPPET, Kind.TRANSCRIPT)
_REACTIONS = (Kind.REPLY_WAITING, Kind.REPLY_RELAYED, Kind.REPLY_TAKEN_BACK, Kind.MESSAGE_INTERNAL)


def method_of(row: OutboxMessage) -> Method:
    """The call that a row leads to."""
    if row.kind in HEADS or row.kind == Kind.RELEASED_CHANGED:
        return Method.UPDATE
    if row.kind in _UPLOADS:
        return Method.UPLOAD
    return Method.REACT if row.kind in _REACTIONS else Method.POST


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows that lead to the same call in the same channel of a workspace: sent one by one."""

    method: Method
    workspace: str
    channel: str


@dataclass(slots=True)
class Item:
    """A row that waits, with what planning asks of it: thousands are planned at each look."""

    id: int
    kind: str
    subject: str
    method: Method
    head: tuple[Kind, str] | None
    """Kind and subject of the message that it changes or whose thread it belongs to."""
    row: OutboxMessage
    assistant: str
    lane: Lane


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows by lane, in order, and the ids of those that a newer row makes needless."""

    lanes: Mapping[Lane, Sequence[Item]]
    needless: Sequence[int]


def planned(items: Sequence[Item]) -> Plan:
    """Divide rows (in the order of sending) into lanes.

    Posts keep their order within a channel. Updates, reactions and files do not wait behind posts,
    only for the message that they belong to. Of several updates of one subject only the newest is
    kept: it is rendered from the records.
    """
    waiting = {(item.kind, item.subject): item.id for item in items}
    lanes: dict[Lane, list[Item]] = {}
    needless = []
    for item in items:
        if item.method is Method.UPDATE and waiting[item.kind, item.subject] != item.id:
            needless.append(item.id)
        elif item.method is Method.POST or item.head not in waiting:
            lanes.setdefault(item.lane, []).append(item)
    return Plan(lanes, needless)
