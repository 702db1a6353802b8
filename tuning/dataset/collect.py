"""What an assistant may be trained on: approved corrections, and accepted answers for replay."""

from records import learning
from records.assistant import Assistant
from records.database import Database
from records.handoff import with_marker
from records.tables import Example
from tuning.dataset.examples import TrainingExample


def collect(database: Database, assistant: Assistant) -> list[TrainingExample]:
    """All approved examples, oldest first; answers accepted since the last time are added first."""
    with database.write() as session:
        learning.collect_accepted(session, assistant.name)
    with database.read() as session:
        rows = learning.approved(session, assistant.name)
    return [_example(row, assistant) for row in rows]


def _example(row: Example, assistant: Assistant) -> TrainingExample:
    answer = row.chosen.strip()
    if row.should_escalate:
        answer = with_marker(answer or assistant.handoff_sentence, marker=assistant.handoff_marker)
    return TrainingExample(
        id=row.id,
        source=row.source,
        prompt=tuple(learning.from_json(row.prompt)),
        answer=answer,
        created_at=row.created_at,
        should_escalate=row.should_escalate,
        customer=row.customer,
        conversation_id=row.conversation_id,
        slice=row.slice,
    )
