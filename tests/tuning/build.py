"""What tests of tuning are made of: examples, lessons, assistants' files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from records import imports
from records.database import Database
from records.imports import Lesson
from records.messages import Message, Role
from records.states import ExampleSource
from tuning.dataset.examples import TrainingExample

BASE = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "base"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def example(
    number: int,
    *,
    asked: str | None = None,
    answer: str = "Open the app.",
    source: ExampleSource = ExampleSource.FLAG,
    customer: str | None = None,
    conversation: str | None = None,
    should_escalate: bool = False,
) -> TrainingExample:
    return TrainingExample(
        id=f"ex_{number:05d}",
        source=source,
        prompt=(Message(Role.CUSTOMER, asked or f"Question {number}?"),),
        answer=answer,
        created_at=BEGIN + timedelta(minutes=number),
        should_escalate=should_escalate,
        customer=customer,
        conversation_id=conversation,
    )


def write_assistant(folder: Path, *, cases: Path | None = None, **changes: Any) -> Path:
    """A folder of assistants with one that has the bundled base; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "name": "support",
        "system_prompt": "You answer customers of Alder Bank.",
        "base_model": str(BASE),
        "engine": {"max_model_len": 512, "dtype": "float32", "max_lora_rank": 16},
        "cases": str(cases) if cases else None,
        **changes,
    }
    (folder / "support.yaml").write_text(yaml.safe_dump(content))
    return folder


def teach(
    database: Database,
    pairs: Sequence[tuple[str, str]],
    *,
    approved: bool = True,
    assistant: str = "support",
) -> None:
    """Add imported examples: what a customer asks, and the right answer."""
    with database.write() as session:
        for asked, answer in pairs:
            imports.add_imported(
                session,
                Lesson([Message(Role.CUSTOMER, asked)], answer),
                assistant=assistant,
                key=f"import:{asked}",
                approved=approved,
                actor="tester",
            )


def lessons(count: int) -> list[tuple[str, str]]:
    """Different questions with one of three answers."""
    answers = ("Open the Cards tab.", "It takes three working days.", "There is no fee for that.")
    return [(f"Where is my card number {n}?", answers[n % 3]) for n in range(count)]
