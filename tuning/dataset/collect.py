"""What an assistant may be trained on: what people approved, and what customers said of answers.

It streams: a history may be longer than memory.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from records import examples, flags, replay
from records.assistant import Assistant
from records.database import Database
from records.examples import StoredExample
from records.flags import Remarkable
from records.handoff import with_marker
from records.messages import Message, Role
from records.states import ExampleSource
from tuning.dataset.examples import TrainingExample


class Gathered(NamedTuple):
    """An approved example, and which answers of its conversation were flagged or handed over."""

    stored: StoredExample
    remarkable: tuple[Remarkable, ...] = ()


def collect(
    database: Database, assistant: Assistant, *, since: datetime | None = None, declined: bool
) -> Iterator[list[Gathered]]:
    """All approved examples by their ids, in batches; customers' words are made examples first.

    With `since`, corrections approved before that are left out. Accepted answers are not: they
    keep what was right, whenever that was learned. All batches are of one moment.
    """
    _collect_words(database, assistant.name)
    with database.read() as session:
        for batch in examples.stream_approved(
            session, assistant.name, since=since, declined=declined
        ):
            wanted = {row.conversation_id for row in batch if row.conversation_id is not None}
            found: dict[str, list[Remarkable]] = defaultdict(list)
            for answer in flags.remarkable(session, sorted(wanted)) if wanted else ():
                found[answer.conversation_id].append(answer)
            yield [Gathered(row, tuple(found.get(row.conversation_id or "", ()))) for row in batch]


def _collect_words(database: Database, assistant: str) -> None:
    after: str | None = ""
    while after is not None:
        with database.write() as session:
            after = replay.collect_words(session, assistant, after=after).last


def to_example(gathered: Gathered, assistant: Assistant) -> TrainingExample:
    """The example as training sees it: with the handoff marker, and what must not be learned."""
    row, said = gathered
    prompt = tuple(Message(Role(m["role"]), m["content"]) for m in json.loads(row.prompt))
    answer = row.chosen.strip()
    if row.should_escalate:
        answer = with_marker(answer or assistant.handoff_sentence, marker=assistant.handoff_marker)
    flagged = {answer.content for answer in said if answer.flagged}
    return TrainingExample(
        id=row.id,
        source=ExampleSource(row.source),
        prompt=prompt,
        answer=answer,
        created_at=row.created_at,
        should_escalate=row.should_escalate,
        customer=row.customer,
        conversation_id=row.conversation_id,
        slice=json.loads(row.slice),
        rejected=_rejected(gathered, assistant),
        origin=json.loads(row.origin),
        unlearned=frozenset(
            at
            for at, message in enumerate(prompt)
            if message.role is Role.ASSISTANT and message.content in flagged
        ),
    )


def _rejected(gathered: Gathered, assistant: Assistant) -> str | None:
    """The wrong answer as the model gave it: asking for a person was part of it."""
    wrong = (gathered.stored.rejected or "").strip()
    if not wrong:
        return None
    handed_over = any(
        answer.handed_over and wrong in (answer.models_words.strip(), answer.content.strip())
        for answer in gathered.remarkable
    )
    return with_marker(wrong, marker=assistant.handoff_marker) if handed_over else wrong
