"""Reports that quote what a customer asked: a frozen case may have been made of it.

The file of cases is the team's own and is not changed here; its lines are named.
"""

import csv
import io
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evaluation.changed import FILE as CHANGES
from evaluation.changed import HEADING, harmless
from evaluation.wording import markdown
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.erasing import ERASED
from records.errors import NotFound
from records.tables import Report

_JSON, _MARKDOWN = "report.json", "report.md"
_WORDS = ("question", "right answer", "champion's answer", "challenger's answer")


def quoting(database: Database, assistants: Collection[str], texts: Collection[str]) -> list[str]:
    """Ids of reports whose own row quotes one of these."""
    with database.read() as session:
        rows = session.scalars(select(Report).where(Report.assistant.in_(assistants)))
        return [row.id for row in rows if _quotes(row.body, texts)]


def paths_of(session: Session, assistants: Collection[str]) -> list[str]:
    """Where the reports on these assistants lie in the store."""
    return list(session.scalars(select(Report.path).where(Report.assistant.in_(assistants))))


def clean_reports(
    database: Database,
    artifacts: Artifacts,
    assistants: Collection[str],
    texts: Collection[str],
) -> int:
    """Take the words out of reports, here and in the store; how many. Their figures stay."""
    with database.read() as session:
        rows = list(session.scalars(select(Report).where(Report.assistant.in_(assistants))))
    changed = 0
    for row in rows:
        in_store = _clean_stored(artifacts, row, texts)
        in_records = _quotes(row.body, texts)
        if in_records:
            with database.write() as session:
                session.get_one(Report, row.id).body = _blanked(row.body, texts)
        changed += in_store or in_records
    return changed


def case_lines(assistant: Assistant, texts: Collection[str]) -> list[int]:
    """Lines of an assistant's frozen cases that say one of these."""
    path = Path(assistant.cases) if assistant.cases else None
    if path is None or not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [number for number, line in enumerate(lines, 1) if _said(line, texts)]


def _said(line: str, texts: Collection[str]) -> bool:
    """Whether one of the texts stands in a line of JSON as a whole string."""
    return any(json.dumps(text, ensure_ascii=plain) in line for text in texts for plain in _FORMS)


_FORMS = (True, False)


def _quotes(body: Mapping[str, Any], texts: Collection[str]) -> bool:
    return any(shown["question"] in texts for shown in body.get("changes", {}).get("shown", ()))


def _blanked(body: Mapping[str, Any], texts: Collection[str]) -> dict[str, Any]:
    changes = body["changes"]
    shown = [_blank(one) if one["question"] in texts else one for one in changes["shown"]]
    return {**body, "changes": {**changes, "shown": shown}}


def _blank(change: Mapping[str, Any]) -> dict[str, Any]:
    sides = {
        side: {**change[side], "text": ERASED} if change.get(side) else change.get(side)
        for side in ("champion", "challenger")
    }
    return {**change, "question": ERASED, "reference": ERASED, **sides}


def _clean_stored(artifacts: Artifacts, report: Report, texts: Collection[str]) -> bool:
    try:
        folder = artifacts.fetch(report.path)
        body = json.loads((folder / _JSON).read_text())
    except (NotFound, OSError):
        return False
    files: dict[str, bytes] = {}
    if _quotes(body, texts):
        clean = _blanked(body, texts)
        told = {key: value for key, value in clean.items() if key != "id"}
        files[_JSON] = (json.dumps(clean, indent=2, ensure_ascii=False) + "\n").encode()
        files[_MARKDOWN] = markdown(told).encode()
    table = _clean_table(folder / CHANGES, texts)
    if table is not None:
        files[CHANGES] = table
    if files:
        artifacts.amend(report.path, files)
    return bool(files)


def _clean_table(path: Path, texts: Collection[str]) -> bytes | None:
    """The table of changed answers without these questions and what was said to them."""
    if not path.exists():
        return None
    said = {harmless(text) for text in texts}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    asked = HEADING.index("question")
    if not any(row[asked] in said for row in rows[1:]):
        return None
    written = io.StringIO()
    csv.writer(written).writerows([*rows[:1], *(_cells(row, said, asked) for row in rows[1:])])
    return written.getvalue().encode("utf-8-sig")


def _cells(row: Sequence[str], said: Collection[str], asked: int) -> list[str]:
    if row[asked] not in said:
        return list(row)
    return [ERASED if name in _WORDS else cell for name, cell in zip(HEADING, row, strict=True)]
