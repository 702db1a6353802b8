"""Whether a version answers rightly now what was corrected before.

One rule, the same as for frozen cases (`scores.not_served_right`): where a person should have
answered, the version must hand over; elsewhere it must not, and its answer must be as like the
correction as the gate wants of a right answer (token-F1). Saying so of what it was trained on is
no evidence for the gate: it tells the people who corrected it what became of their work.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from evaluation.answers import question
from evaluation.asking import Manner, OnProgress, ask
from evaluation.cases import Case
from evaluation.gate import GateRules
from evaluation.loading import make_ready
from evaluation.scores import Topics, score
from records import versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.engine import Engine
from records.messages import Message, Role
from records.tables import Example


@dataclass(frozen=True, slots=True)
class Checked:
    """What a version says to the question of a flag, and whether that is right."""

    flag_id: str
    answer: str
    handed_over: bool
    fixed: bool


async def check_corrected(
    database: Database,
    artifacts: Artifacts,
    engines: Sequence[str],
    assistant: Assistant,
    *,
    version_id: str,
    examples: Sequence[Example],
    on_progress: OnProgress,
    manner: Manner | None = None,
) -> list[Checked]:
    """Ask a version the questions of examples that were made from flags, as customers are answered.

    Raises:
        ConfigurationError: the assistant's gate can't be read.
        EngineError, AdapterError: the version couldn't answer; answers until then are kept.
    """
    rules = GateRules.of(assistant)
    cases = [_case(example) for example in examples]
    with database.read() as session:
        version = versions.get(session, version_id)

    async def prepare(engine: Engine) -> None:
        await make_ready(engine, version, artifacts=artifacts, assistant=assistant)

    async with AsyncExitStack() as stack:
        answers = await ask(
            database,
            [await stack.enter_async_context(Engine(url)) for url in engines],
            version=version_id,
            questions=[question(case, assistant, version=version_id) for case in cases],
            prepare=prepare,
            on_progress=on_progress,
            manner=manner,
        )
    marker, f1 = assistant.handoff_marker, rules.right_answer_f1
    scores = [
        score(case, answers[case.id], marker=marker, topics=Topics([]), right_answer_f1=f1)
        for case in cases
    ]
    return [Checked(s.case_id, s.text, s.escalated, not s.not_served_right) for s in scores]


def _case(example: Example) -> Case:
    """The example as a case that is known by its flag."""
    asked = tuple(Message(Role(said["role"]), said["content"]) for said in example.prompt)
    return Case(
        id=str(example.flag_id),
        messages=asked,
        reference=example.chosen,
        should_escalate=example.should_escalate,
        topic=None,
        slice={},
    )
