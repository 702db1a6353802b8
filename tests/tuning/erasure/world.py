"""A home with everything in it that may hold a customer's words, and a search through all of it."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from records import (
    conversations,
    doubts,
    escalations,
    examples,
    fixes,
    flags,
    imports,
    outbox,
    outcomes,
    versions,
)
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.conversations import Arrival
from records.database import Database
from records.endings import resolve
from records.flags import Judgement
from records.imports import Lesson
from records.messages import Message, Role
from records.outbox import Kind
from records.outcomes import Rating
from records.states import (
    DoubtKind,
    EscalationReason,
    ExperimentState,
    FlagReason,
    JobState,
    OutboxState,
    Resolution,
    VersionState,
)
from records.tables import (
    Answer,
    Dataset,
    DatasetExample,
    Example,
    Job,
    OutboxMessage,
    Report,
    Shadow,
    ShadowAnswer,
    Table,
    Turn,
    Version,
)
from tuning.dataset.rows import CARD, HELD_OUT, TRAIN, Row, read_rows, write_rows
from tuning.dataset.writing import content_hash
from tuning.erasure.erase import Place

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AGENT = "U0ANN"


@dataclass
class World:
    """A home, and how to fill it."""

    database: Database
    artifacts: Artifacts
    home: Path
    cases: Path
    number: int = 0

    @classmethod
    def begin(cls, database: Database, home: Path) -> "World":
        with database.write() as session:
            base = Version(
                id="support-base", assistant="support", base_model="some/base",
                base_hash="0" * 64, state=VersionState.TRAINED,
            )  # fmt: skip
            versions.install_base(session, base)
        artifacts = Artifacts(str(home / "artifacts"), cache=home / "artifacts")
        return cls(database, artifacts, home, home / "team" / "cases.jsonl")

    @property
    def place(self) -> Place:
        assistant = Assistant(
            name="support", system_prompt="s", base_model="some/base", cases=str(self.cases)
        )
        return Place(
            database=self.database,
            artifacts=self.artifacts,
            home=self.home,
            jobs=self.home / "jobs",
            wordings=self.home / "augmentation.sqlite",
            assistants=(assistant,),
        )

    def fresh(self) -> int:
        self.number += 1
        return self.number

    def talk(self, customer: str, secret: str) -> tuple[str, str]:
        """A conversation with an answer; ids of both."""
        number = self.fresh()
        with self.database.write() as session:
            arrival = Arrival(
                assistant="support",
                conversation_id=f"conv_{number:026d}",
                content=f"Question {number} of {secret}?",
                key=f"thread {number} of {secret}",
                customer=customer,
                version="support-base",
            )
            conversations.receive(session, arrival)
            answer = Turn(
                conversation_id=arrival.conversation_id,
                role=Role.ASSISTANT,
                content=f"Answer {number} for {secret}.",
                withheld=f"withheld {secret}",
                version="support-base",
            )
            conversations.add_turn(session, answer)
            return arrival.conversation_id, answer.id

    def flag(self, answer: str, secret: str) -> str:
        """A flag with a correction that was approved; the example's id."""
        with self.database.write() as session:
            judgement = Judgement(
                FlagReason.WRONG, f"Correction {self.fresh()} {secret}.", note=f"note {secret}"
            )
            flag = flags.add(session, answer, agent=AGENT, judgement=judgement)
            example = session.query(Example).filter_by(flag_id=flag.id).one()
            examples.decide(session, example.id, approve=True, actor="U0REV")
            fixes.record(
                session, flag.id, version="support-base", answer=f"fix {secret}",
                handed_over=False, fixed=True,
            )  # fmt: skip
            key = f"{self.fresh():064d}"
            session.add(Answer(key=key, version="support-base", content=f"cached {secret}"))
            return example.id

    def escalate(self, conversation: str, secret: str, *, ends: bool) -> str:
        with self.database.write() as session:
            row = escalations.escalate(
                session, conversation, reason=EscalationReason.CUSTOMER, cause=f"says {secret}"
            )
            sent(session, Kind.ESCALATION_OPENED, row.id)
            if ends:
                escalations.take_over(session, row.id, agent=AGENT)
                source = f"slack:C1:{self.fresh()}.000001"
                escalations.reply(
                    session, row.id, agent=AGENT, content=f"reply {secret}", source_key=source
                )
                resolve(
                    session, row.id, agent=AGENT, resolution=Resolution.SOLVED,
                    note=f"note {secret}", save_example=True,
                )  # fmt: skip
            return row.id

    def rate(self, conversation: str, secret: str) -> None:
        with self.database.write() as session:
            outcomes.rate(session, conversation, Rating(csat=4, comment=f"comment {secret}"))

    def shadow(self, answer: str, secret: str) -> None:
        with self.database.write() as session:
            shadow = session.query(Shadow).first()
            if shadow is None:
                shadow = Shadow(
                    assistant="support", version="support-base", share=1.0, started_by="ops",
                    state=ExperimentState.STOPPED,
                )  # fmt: skip
                session.add(shadow)
                session.flush()
            said = f"shadow {secret}"
            session.add(
                ShadowAnswer(
                    shadow_id=shadow.id, turn_id=answer, version="support-base", content=said
                )
            )

    def imported(self, customer: str, secret: str) -> str:
        number = self.fresh()
        with self.database.write() as session:
            asked = [Message(Role.CUSTOMER, f"Imported {number} {secret}?")]
            lesson = Lesson(
                asked, f"chosen {secret}", customer=customer, slice={"topic": f"topic {secret}"}
            )
            key = f"import:{number} {customer}"
            imports.add_imported(
                session, lesson, assistant="support", key=key, approved=True, actor="ops"
            )
            return str(session.query(Example.id).filter_by(key=key).scalar())

    def doubt(self, one: str, other: str) -> None:
        with self.database.write() as session:
            doubts.send_back(session, one, kind=DoubtKind.CONTRADICTION, other_id=other)

    def dataset(self) -> str:
        """A dataset of all approved examples, one of them in other words too; its id."""
        with self.database.read() as session:
            approved = examples.approved(session, "support")
        rows = [lesson(one) for one in approved]
        if rows:
            last = rows[-1]
            again = [{"role": "user", "content": f"so to say: {last.prompt[-1]['content']}"}]
            rows.append(
                Row(f"{last.id}~1", last.source, tuple(again), (False,), last.answer,
                    synthetic_of=last.id)
            )  # fmt: skip
        scratch = self.home / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        identities = {
            TRAIN: write_rows(scratch / TRAIN, sorted(rows, key=lambda row: row.id)),
            HELD_OUT: write_rows(scratch / HELD_OUT, []),
        }
        shown = [{"id": r.id, "asked": r.prompt[-1]["content"], "answer": r.answer} for r in rows]
        card = {
            "counts": {"train": len(rows), "held_out": 0},
            "by_source": {"train": {"flag": len(rows)}, "held_out": {}},
            "steps": [{"name": "duplicates", "samples": shown}],
            "samples": shown[:3],
            "content_hash": content_hash(identities),
        }
        (scratch / CARD).write_text(json.dumps(card))
        name = f"ds-{card['content_hash'][:12]}"  # type: ignore[index]
        self.artifacts.publish(scratch, f"datasets/{name}")
        shutil.rmtree(scratch)
        with self.database.write() as session:
            if session.get(Dataset, name) is None:
                session.add(
                    Dataset(id=name, assistant="support", content_hash=card["content_hash"],
                            path=f"datasets/{name}", card=card)
                )  # fmt: skip
                session.flush()
                session.add_all(
                    DatasetExample(dataset_id=name, example_id=one.id, split="train")
                    for one in approved
                )
        return name

    def adapter(
        self, dataset: str, *, start: str = "base", parent: str | None = None, serves: bool = False
    ) -> str:
        """A version trained on a dataset, and the files of its job."""
        name = f"support-{self.fresh():012d}"
        rows = list(read_rows(self.home / "artifacts" / "datasets" / dataset / TRAIN))
        shown = [{"example": row.id, "text": row.prompt[-1]["content"]} for row in rows]
        manifest: dict[str, Any] = {"recipe": {"start_from": start}, "mask": shown}
        folder = self.home / "scratch"
        folder.mkdir()
        probes = [{"example": row.id, "token_ids": [1], "said": row.answer} for row in rows]
        (folder / "manifest.json").write_text(json.dumps({**manifest, "probes": probes}))
        (folder / "adapter_model.safetensors").write_bytes(b"weights")
        self.artifacts.publish(folder, f"adapters/{name}")
        shutil.rmtree(folder)
        with self.database.write() as session:
            version = Version(
                id=name, assistant="support", base_model="some/base", base_hash="0" * 64,
                adapter_path=f"adapters/{name}", dataset_id=dataset, parent=parent,
                state=VersionState.TRAINED, manifest=manifest,
            )  # fmt: skip
            versions.register(session, version)
            job = Job(
                assistant="support", state=JobState.SUCCEEDED, requested_by="ops",
                dataset_id=dataset, version=name,
            )  # fmt: skip
            session.add(job)
            session.flush()
            if serves:
                versions.promote(session, name, actor="ops", without_evidence=True)
        jobs = self.home / "jobs" / job.id
        jobs.mkdir(parents=True)
        (jobs / "wordings.jsonl").write_text(json.dumps(shown))
        self.place.wordings.write_text(json.dumps(shown))
        return name

    def report(self, conversation: str) -> str:
        """A report whose frozen cases quote what was asked in a conversation."""
        with self.database.read() as session:
            asked = conversations.history(session, conversation)[0].content
        self.cases.parent.mkdir(exist_ok=True)
        with self.cases.open("a") as file:
            said = {"messages": [{"role": "customer", "content": asked}], "reference": "x"}
            file.write(json.dumps(said) + "\n")
        side = {"text": f"said to {asked}", "escalated": False, "token_f1": 0.5}
        shown = {
            "kind": "fixed", "case_id": "c1", "topic": None, "question": asked,
            "reference": "right", "should_escalate": False, "champion": side, "challenger": side,
        }  # fmt: skip
        body = report_body(shown)
        folder = self.home / "scratch"
        folder.mkdir()
        (folder / "report.json").write_text(json.dumps(body))
        (folder / "report.md").write_text(f"**fixed** “{asked}”")
        heading = "change,topic,question,right answer,champion's answer,challenger's answer,case"
        line = f"fixed,,{asked},right,said to {asked},said to {asked},c1"
        (folder / "changes.csv").write_text(
            f"{heading}\r\n{line}\r\n", encoding="utf-8-sig", newline=""
        )
        name = f"rep_{self.fresh():026d}"
        self.artifacts.publish(folder, f"reports/{name}")
        shutil.rmtree(folder)
        with self.database.write() as session:
            session.add(
                Report(id=name, assistant="support", challenger="support-base", cases_hash="c",
                       body=body, path=f"reports/{name}")
            )  # fmt: skip
        return name

    def journal(self, customer: str, secret: str, *, folder: str = "spool") -> Path:
        """A journal that a dead gateway left, with a question of the customer's."""
        number = self.fresh()
        path = self.home / folder / f"spool_{number}.jsonl"
        path.parent.mkdir(exist_ok=True)
        name = f"conv_{number:026d}"
        entry = {
            "conversation_id": name,
            "turns": [{"id": f"turn_{number:026d}", "content": f"spooled {secret}"}],
            "started": {"id": name, "customer": customer, "key": None},
        }
        later = {"conversation_id": name, "turns": [{"content": f"and {secret}"}], "started": None}
        path.write_text("".join(json.dumps(line) + "\n" for line in (entry, later)))
        return path


def sent(session: Any, kind: Kind, subject: str) -> None:
    """As if the bot had posted it."""
    row = session.query(OutboxMessage).filter_by(kind=kind, subject=subject).one()
    row.state, row.channel, row.ts = OutboxState.SENT, "C1", f"{row.id}.000100"
    outbox.put(session, Kind.ESCALATION_REMINDER, subject)


def lesson(example: Example) -> Row:
    prompt = tuple({"role": "user", "content": m["content"]} for m in example.prompt)
    return Row(
        example.id, str(example.source), prompt, (False,) * len(prompt), example.chosen,
        slice=example.slice,
    )  # fmt: skip


def report_body(shown: dict[str, Any]) -> dict[str, Any]:
    return {
        "assistant": "support", "champion": None, "challenger": "support-base", "verdict": None,
        "reasons": [], "settle": [], "metrics": [], "slices": [], "answers": {}, "lineage": {},
        "cases": {"count": 1, "hash": "c", "path": None, "unusable_lines": [], "trained_on": 0},
        "changes": {"fixed": None, "broken": None, "reworded": None, "shown": [shown]},
        "rules": {}, "generation": {}, "confidence": 0.95, "command": "x", "alt_text": "x",
    }  # fmt: skip


DEEDS: dict[str, Callable[[World, str, str, random.Random], None]] = {
    "talk": lambda world, customer, secret, _: void(world.talk(customer, secret)),
    "flag": lambda world, customer, secret, _: void(
        world.flag(world.talk(customer, secret)[1], secret)
    ),
    "escalate": lambda world, customer, secret, rng: void(
        world.escalate(world.talk(customer, secret)[0], secret, ends=rng.random() < 0.5)
    ),
    "rate": lambda world, customer, secret, _: world.rate(world.talk(customer, secret)[0], secret),
    "shadow": lambda world, customer, secret, _: world.shadow(
        world.talk(customer, secret)[1], secret
    ),
    "import": lambda world, customer, secret, _: void(world.imported(customer, secret)),
    "report": lambda world, customer, secret, _: void(
        world.report(world.talk(customer, secret)[0])
    ),
    "journal": lambda world, customer, secret, rng: void(
        world.journal(customer, secret, folder=rng.choice(["spool", "slack-inbox"]))
    ),
    "train": lambda world, customer, secret, rng: void(
        world.adapter(world.dataset(), start=rng.choice(["base", "champion"]))
    ),
}
"""What may happen, by name: it is done for a customer whose words all hold their secret."""


def void(_: object) -> None:
    pass


def stored(home: Path) -> Iterator[tuple[str, bytes]]:
    """All bytes below a folder, by place; files of datasets also as what they say."""
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.parent.name == "team":
            continue  # the team's own files
        name = str(path.relative_to(home))
        yield name, path.read_bytes()
        if path.suffix == ".parquet":
            yield name, repr(list(read_rows(path))).encode()


def places_of(secret: str, home: Path) -> list[str]:
    """Where a secret is stored."""
    return sorted({name for name, content in stored(home) if secret.encode() in content})


def records_with(secret: str, database: Database) -> dict[str, list[str]]:
    """Rows that hold a secret, as text, by table."""
    found: dict[str, list[str]] = {}
    with database.read() as session:
        for table in Table.metadata.sorted_tables:
            rows = [str(tuple(row)) for row in session.execute(table.select())]
            if kept := sorted(row for row in rows if secret in row):
                found[table.name] = kept
    return found
