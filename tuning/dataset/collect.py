"""What an assistant may be trained on: approved corrections, and accepted answers for replay."""

from datetime import datetime

from records import examples, replay
from records.assistant import Assistant
from records.database import Database
from records.handoff import with_marker
from records.states import ExampleSource
from records.tables import Example
from tuning.dataset.examples import TrainingExample


def collect(
    database: Database, assistant: Assistant, *, since: datetime | None = None
) -> list[TrainingExample]:
    """All approved examples, oldest first; answers accepted since the last time are added first.

    With `since`, corrections approved before that are left out. Accepted answers are not: they
    keep what was right, whenever that was learned.
    """
    with database.write() as session:
        replay.collect_accepted(session, assistant.name)
    with database.read() as session:
        rows = examples.approved(session, assistant.name)
    return [_example(row, assistant) for row in rows if _is_wanted(row, since)]


def _is_wanted(row: Example, since: datetime | None) -> bool:
    if since is None or row.source is ExampleSource.ACCEPTED:
        return True
    return row.decided_at is not None and row.decided_at >= since


def _example(row: Example, assistant: Assistant) -> TrainingExample:
    answer = row.chosen.strip()
    if row.should_escalate:
        answer = with_marker(answer or assistant.handoff_sentence, marker=assistant.handoff_marker)
    return TrainingExample(
        id=row.id,
        source=row.source,
        prompt=tuple(examples.from_json(row.prompt)),
        answer=answer,
        created_at=row.created_at,
        should_escalate=row.should_escalate,
        customer=row.customer,
        conversation_id=row.conversation_id,
        slice=row.slice,
    )
