"""Exporting a dataset for other programs: OpenAI's chat JSONL, TRL's, Hugging Face's layout.

What is exported can be imported again (`understudy import`), but for other wordings that were made
of an example: those are left out unless they are asked for.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from records.errors import InvalidInput
from records.messages import ChatMessage
from tuning.dataset.export_card import Contents, card
from tuning.dataset.rows import HELD_OUT, TRAIN, Row, read_rows

_BATCH_ROWS = 4096
_NAMES = {TRAIN: "train", HELD_OUT: "validation"}
"""What other programs call the two sides."""

_MESSAGES = pa.list_(
    pa.struct(
        [
            pa.field("role", pa.string(), nullable=False),
            pa.field("content", pa.string(), nullable=False),
        ]
    )
)
_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("messages", _MESSAGES, nullable=False),
        pa.field("rejected", pa.string()),
        pa.field("should_escalate", pa.bool_(), nullable=False),
        pa.field("weight", pa.float32(), nullable=False),
        pa.field("topic", pa.string()),
        pa.field("synthetic_of", pa.string()),
        pa.field("slice", pa.string(), nullable=False),
        pa.field("licence", pa.string()),
        pa.field("origin", pa.string(), nullable=False),
    ]
)


class ExportFormat(StrEnum):
    """Whose form an export has."""

    OPENAI = "openai"
    """Chat JSONL: `messages`, with weight 0 for answers that must not be learned."""
    TRL = "trl"
    """`prompt` and `completion`; pairs as `prompt`, `chosen`, `rejected`."""
    HUGGINGFACE = "huggingface"
    """Parquet in `data/`, as `datasets.load_dataset` reads a folder."""


@dataclass(slots=True)
class Exported:
    """What was written."""

    folder: Path
    contents: Contents
    files: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "folder": str(self.folder),
            "files": self.files,
            "examples": dict(self.contents.sides),
            "pairs": self.contents.pairs,
            "synthetic_left_out": self.contents.synthetic_left_out,
            "without_right_answer": self.contents.without_answer,
            "licences": dict(self.contents.licences),
        }


def export(
    dataset: Path,
    folder: Path,
    *,
    form: ExportFormat,
    about: Mapping[str, Any],
    synthetic: bool = False,
) -> Exported:
    """Write a dataset's folder into an empty or new one; a few thousand rows are in memory.

    `about` names the dataset (`id`) and its `assistant`, for the card.

    Raises:
        InvalidInput: the folder holds something already.
        OSError: it can't be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty; name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    done = Exported(folder, Contents())
    writer = _WRITERS[form]
    for file, name in _NAMES.items():
        rows = _counted(read_rows(dataset / file), done.contents, name, synthetic=synthetic)
        done.files += writer(folder, name, rows)
    readme = card(about, done.contents, form=str(form), files=done.files)
    (folder / "README.md").write_text(readme, encoding="utf-8")
    done.files.append("README.md")
    return done


def _counted(
    rows: Iterator[Row], contents: Contents, side: str, *, synthetic: bool
) -> Iterator[Row]:
    """The rows that are exported, each counted for the card."""
    for row in rows:
        if row.synthetic_of is not None and not synthetic:
            contents.synthetic_left_out += 1
        elif row.answer is None:
            contents.without_answer += 1
        else:
            contents.count(row, side)
            yield row


def _openai(folder: Path, name: str, rows: Iterator[Row]) -> list[str]:
    return _jsonl(folder, name, rows, {"": _openai_chat, "-preferences": _openai_pair})


def _trl(folder: Path, name: str, rows: Iterator[Row]) -> list[str]:
    return _jsonl(folder, name, rows, {"": _trl_chat, "-preferences": _trl_pair})


def _jsonl(
    folder: Path,
    name: str,
    rows: Iterator[Row],
    makers: Mapping[str, Callable[[Row], dict[str, Any] | None]],
) -> list[str]:
    """A line for each row and kind of file; files without any line aren't left."""
    lines: Counter[str] = Counter()
    paths = {ending: folder / f"{name}{ending}.jsonl" for ending in makers}
    with ExitStack() as opened:
        files = {e: opened.enter_context(p.open("w", encoding="utf-8")) for e, p in paths.items()}
        for row in rows:
            for ending, make in makers.items():
                if (content := make(row)) is not None:
                    files[ending].write(json.dumps(content, ensure_ascii=False) + "\n")
                    lines[ending] += 1
    for ending, path in paths.items():
        if not lines[ending]:
            path.unlink()
    return [path.name for ending, path in paths.items() if lines[ending]]


def _openai_chat(row: Row) -> dict[str, Any]:
    messages = []
    for message, learn in zip(row.prompt, row.learn, strict=True):
        weightless = message["role"] == "assistant" and not learn
        messages.append({**message, "weight": 0} if weightless else dict(message))
    return {"messages": [*messages, {"role": "assistant", "content": row.answer}]}


def _openai_pair(row: Row) -> dict[str, Any] | None:
    if row.rejected is None:
        return None
    return {
        "input": {"messages": list(row.prompt)},
        "preferred_output": [_said(row.answer)],
        "non_preferred_output": [_said(row.rejected)],
    }


def _trl_chat(row: Row) -> dict[str, Any]:
    return {"prompt": list(row.prompt), "completion": [_said(row.answer)]}


def _trl_pair(row: Row) -> dict[str, Any] | None:
    if row.rejected is None:
        return None
    return {
        "prompt": list(row.prompt),
        "chosen": [_said(row.answer)],
        "rejected": [_said(row.rejected)],
    }


def _said(content: str | None) -> ChatMessage:
    return {"role": "assistant", "content": content}


def _huggingface(folder: Path, name: str, rows: Iterator[Row]) -> list[str]:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    path = data / f"{name}-00000-of-00001.parquet"
    count = 0
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        while batch := [_record(row) for row in islice(rows, _BATCH_ROWS)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=_SCHEMA))
            count += len(batch)
    if not count:
        path.unlink()
        return []
    return [f"data/{path.name}"]


def _record(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "source": row.source,
        "messages": row.chat(),
        "rejected": row.rejected,
        "should_escalate": row.should_escalate,
        "weight": row.weight,
        "topic": row.topic,
        "synthetic_of": row.synthetic_of,
        "slice": json.dumps(row.slice, ensure_ascii=False, sort_keys=True),
        "licence": row.origin.get("licence"),
        "origin": json.dumps(row.origin, ensure_ascii=False, sort_keys=True),
    }


_WRITERS: dict[ExportFormat, Callable[[Path, str, Iterator[Row]], list[str]]] = {
    ExportFormat.OPENAI: _openai,
    ExportFormat.TRL: _trl,
    ExportFormat.HUGGINGFACE: _huggingface,
}
