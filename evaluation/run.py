"""A whole evaluation: ask, score, measure, compare, judge, and keep the report.

Doing it again with the same answers, cases and rules yields the same report under the same id, so
a durable workflow may repeat it at any point.
"""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.answers import Answer, question
from evaluation.asking import Manner, OnProgress, ask
from evaluation.cases import Case, CaseFile
from evaluation.changed import FILE as CHANGES
from evaluation.changed import changes_csv
from evaluation.comparison import compare, compare_part, slice_rows
from evaluation.forgetting import NAME as OLD_SKILLS
from evaluation.forgetting import Suite, find_suite
from evaluation.gate import GateRules, OldSkills, judge
from evaluation.intervals import Sampling
from evaluation.leaks import trained_prompts
from evaluation.loading import make_ready
from evaluation.plot import draw
from evaluation.report import Measured, Recalled, Side, compared_body, single_body
from evaluation.scores import Score, Topics, score_all
from evaluation.search_plot import draw_search
from evaluation.table import tabulate
from evaluation.wording import markdown, with_alt_text
from records import versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.engine import Engine
from records.errors import InvalidInput
from records.ids import utc_now
from records.states import Verdict
from records.tables import Report, Version

_FORM = 1
"""Counts changes of what a report says of the same answers, so that old ids stay true."""
_SEED = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A version and its answers by case id."""

    version: Version
    answers: Mapping[str, Answer]


async def run_evaluation(
    database: Database,
    artifacts: Artifacts,
    engines: Sequence[str],
    assistant: Assistant,
    *,
    challenger: str,
    champion: str | None,
    cases: CaseFile,
    on_progress: OnProgress,
    manner: Manner | None = None,
) -> str:
    """Evaluate a version, by itself or against a champion, and return its report's id.

    Raises:
        NotFound: an unknown version.
        InvalidInput: a version of another assistant, or the same version twice.
        ConfigurationError: the assistant's gate can't be read.
        EngineError, AdapterError: the versions couldn't answer; answers until then are kept.
    """
    rules = GateRules.of(assistant)
    chosen = _versions(database, assistant, challenger=challenger, champion=champion)
    leaked = await asyncio.to_thread(trained_prompts, database, chosen)
    counted = [case for case in cases.cases if case.id not in leaked]
    suite = await asyncio.to_thread(find_suite, database, artifacts, assistant, chosen)
    if suite is not None:
        suite = suite.without(leaked | {case.id for case in cases.cases})
    wanted = [*counted, *(suite.cases if suite is not None else ())]
    asked: list[Asked] = []
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Engine(url)) for url in engines]
        for version in chosen:

            async def prepare(engine: Engine, version: Version = version) -> None:
                await make_ready(engine, version, artifacts=artifacts, assistant=assistant)

            answers = await ask(
                database,
                servers,
                version=version.id,
                questions=[question(case, assistant, version=version.id) for case in wanted],
                prepare=prepare,
                on_progress=on_progress,
                manner=manner,
            )
            asked.append(Asked(version, answers))
    measured = await asyncio.to_thread(scored, assistant, rules, cases, counted, asked, suite=suite)
    body = await asyncio.to_thread(judged, measured)
    frozen = are_frozen(cases, assistant)
    report_id = _report_id(body, asked, frozen=frozen)
    return await asyncio.to_thread(
        _keep, database, artifacts, report_id, body, frozen=frozen, changes=changes_csv(measured)
    )


def are_frozen(file: CaseFile, assistant: Assistant) -> bool:
    """Whether the cases are the assistant's own frozen ones, however the path is written."""
    if file.path is None or assistant.cases is None:
        return False
    return Path(file.path).resolve() == Path(assistant.cases).resolve()


def _versions(
    database: Database, assistant: Assistant, *, challenger: str, champion: str | None
) -> list[Version]:
    """The versions to be asked: the champion first, the challenger last."""
    names = [challenger] if champion is None else [champion, challenger]
    if len(set(names)) != len(names):
        raise InvalidInput(f"{challenger} can't be compared with itself.")
    with database.read() as session:
        found = [versions.get(session, name) for name in names]
    for version in found:
        if version.assistant != assistant.name:
            raise InvalidInput(
                f"{version.id} belongs to assistant {version.assistant!r}, not {assistant.name!r}."
            )
    return found


def assess(
    assistant: Assistant,
    rules: GateRules,
    file: CaseFile,
    counted: Sequence[Case],
    asked: Sequence[Asked],
) -> dict[str, Any]:
    """The report on answers: scores, metrics, comparison, verdict. Pure."""
    return judged(scored(assistant, rules, file, counted, asked))


def scored(
    assistant: Assistant,
    rules: GateRules,
    file: CaseFile,
    counted: Sequence[Case],
    asked: Sequence[Asked],
    *,
    suite: Suite | None = None,
) -> Measured:
    """What each answer is worth. Pure."""
    topics = Topics(file.cases)

    def worth(cases: Sequence[Case], given: Asked) -> list[Score]:
        return score_all(
            cases,
            given.answers,
            marker=assistant.handoff_marker,
            topics=topics,
            right_answer_f1=rules.right_answer_f1,
        )

    sides = [Side(given.version, worth(counted, given)) for given in asked]
    recalled = None
    if suite is not None and suite.cases:
        old = [worth(suite.cases, given) for given in asked]
        recalled = Recalled(suite, old[-1], champion=old[0] if len(old) > 1 else None)
    return Measured(
        assistant=assistant,
        rules=rules,
        file=file,
        cases=counted,
        challenger=sides[-1],
        champion=sides[0] if len(sides) > 1 else None,
        confidence=rules.confidence,
        old_skills=recalled,
    )


def judged(measured: Measured) -> dict[str, Any]:
    """The report on what was measured: metrics, comparison, verdict. Pure."""
    rules, counted = measured.rules, measured.cases
    sampling = Sampling(np.random.default_rng(_SEED), confidence=rules.confidence)
    after = tabulate(counted, measured.challenger.scores)
    old = measured.old_skills
    if measured.champion is None:
        table = tabulate(old.suite.cases, old.challenger) if old is not None else None
        return with_alt_text(single_body(measured, after, sampling, old_skills=table))
    before = tabulate(counted, measured.champion.scores)
    comparison = compare(before, after, slices=slice_rows(counted), sampling=sampling)
    slices = {entry.name: entry.pairs for entry in comparison.slices}
    part, asked_of = None, None
    if old is not None and old.champion is not None:
        was, now = (tabulate(old.suite.cases, side) for side in (old.champion, old.challenger))
        part = compare_part(OLD_SKILLS, was, now, sampling)
        asked_of = OldSkills(part.pairs, named=old.suite.named)
    decision = judge(comparison.pairs, slices, rules, old_skills=asked_of)
    return with_alt_text(compared_body(measured, comparison, decision, old_skills=part))


def _report_id(body: Mapping[str, Any], asked: Sequence[Asked], *, frozen: bool) -> str:
    """A name made from everything the report depends on."""
    said = [
        [given.version.id, sorted((key, asdict(a)) for key, a in given.answers.items())]
        for given in asked
    ]
    keys = ("cases", "rules", "generation", "lineage")
    content = [_FORM, frozen, *(body[key] for key in keys), said]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"rep_{digest[:26]}"


def _keep(
    database: Database,
    artifacts: Artifacts,
    report_id: str,
    body: dict[str, Any],
    *,
    frozen: bool,
    changes: str | None,
) -> str:
    path = f"reports/{report_id}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = json.dumps({"id": report_id, **body}, indent=2, ensure_ascii=False)
        (folder / "report.json").write_text(text + "\n")
        (folder / "report.md").write_text(markdown(body))
        draw(body, folder / "plot.png")
        if body["search"] is not None:
            draw_search(body["search"], folder / "search.png")
        if changes is not None:
            # with a mark of UTF-8, which spreadsheets need to be told
            (folder / CHANGES).write_text(changes, encoding="utf-8-sig", newline="")
        artifacts.publish(folder, path)
    with database.write() as session:
        report = session.get(Report, report_id)
        if report is None:
            report = Report(
                id=report_id,
                assistant=body["assistant"],
                champion=body["champion"],
                challenger=body["challenger"],
                cases_hash=body["cases"]["hash"],
                frozen=frozen,
                verdict=Verdict(body["verdict"]) if body["verdict"] else None,
                body=body,
                path=path,
            )
            session.add(report)
        report.created_at = utc_now()  # the same evidence, asked for again, is the newest
        session.flush()
        versions.mark_evaluated(session, body["challenger"])
        versions.note_evidence(session, report)
    return report_id
