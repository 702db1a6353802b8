"""In which order waiting rows of the outbox are worked on, and which need no work any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.kinds import HEADS
from records.outbox import Kind
from records.tables import OutboxMessage


class Method(StrEnum):
    """The call of Slack's that a row leads to; each has a rate limit of its own."""

    POST = "post"
    UPDATE = "update"
    REACT = "react"


def method_of(row: OutboxMessage) -> Method:
    """The call that a row leads to."""
    if row.kind in HEADS:
        return Method.UPDATE
    return Method.REACT if row.kind == Kind.REPLY_RELAYED else Method.POST


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows by lane, in order, and the ids of those that a newer row makes needless."""

    lanes: Mapping[tuple[Method, str], Sequence[OutboxMessage]]
    needless: Sequence[int]


def planned(rows: Sequence[OutboxMessage], channels: Mapping[int, str]) -> Plan:
    """Divide rows (in the order of sending) into lanes; `channels` gives each row's channel.

    Posts keep their order within a channel. Updates and reactions do not wait behind posts. Of
    several updates of one subject only the newest is kept: it is rendered from the records.
    """
    newest = {(row.kind, row.subject): row.id for row in rows if method_of(row) is Method.UPDATE}
    lanes: dict[tuple[Method, str], list[OutboxMessage]] = {}
    needless = []
    for row in rows:
        if newest.get((row.kind, row.subject), row.id) != row.id:
            needless.append(row.id)
        elif row.id in channels:
            lanes.setdefault((method_of(row), channels[row.id]), []).append(row)
    return Plan(lanes, needless)
