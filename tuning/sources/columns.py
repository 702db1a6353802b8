"""Which column of a file holds what of a lesson: `--columns question=Body,answer=Reply`. Pure."""

import csv
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from records.errors import InvalidInput

_SLICE = "slice."
_SHOWN = 40


class Target(StrEnum):
    """What a column may hold."""

    QUESTION = "question"
    """What the customer asked, or all messages before the answer."""
    ANSWER = "answer"
    MESSAGES = "messages"
    """A whole chat in OpenAI's form, the right answer last."""
    CUSTOMER = "customer"
    APPROVED = "approved"
    SHOULD_ESCALATE = "should_escalate"
    REJECTED = "rejected"
    """An answer that was wrong."""
    LICENCE = "licence"
    SLICE = "slice"
    """A whole mapping, as an object; single keys are `slice.KEY`."""
    SYNTHETIC_OF = "synthetic_of"
    """Marks rows that an export made from others."""
    CONVERSATION = "conversation"
    """What rows of the same conversation have in common."""
    ROLE = "role"
    AUTHOR = "author"
    TEXT = "text"
    TIME = "time"


_OWN_NAMES: dict[str, Target] = {
    **{str(target): target for target in Target},
    "prompt": Target.QUESTION,
    "completion": Target.ANSWER,
    "chosen": Target.ANSWER,
    "license": Target.LICENCE,
}
"""Columns with these names need no map."""

_USUAL_NAMES: dict[Target, tuple[str, ...]] = {
    Target.MESSAGES: ("messages", "conversations", "chat"),
    Target.CONVERSATION: ("conversation", "conversationid", "ticket", "ticketid", "thread",
                          "threadid", "case", "caseid", "chatid", "sessionid", "dialogueid"),
    Target.ROLE: ("role", "sendertype", "direction", "inbound", "authorrole", "speaker"),
    Target.AUTHOR: ("author", "authorid", "sender", "from", "user", "name"),
    Target.TEXT: ("text", "message", "body", "content", "utterance", "comment"),
    Target.TIME: ("time", "timestamp", "createdat", "date", "sentat"),
    Target.QUESTION: ("question", "query", "prompt", "instruction", "body", "description",
                      "message", "request", "input", "text", "subject", "frage"),
    Target.ANSWER: ("answer", "reply", "response", "completion", "solution", "resolution",
                    "output", "agentreply", "answerbody", "antwort"),
    Target.CUSTOMER: ("customer", "customerid", "email", "requester", "requesteremail", "userid"),
}  # fmt: skip
"""Names in other programs' exports, without case and punctuation; only for suggestions."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The columns of each target; several are joined by a blank line."""

    columns: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...] = ()

    def __contains__(self, target: str) -> bool:
        return target in self.columns

    @property
    def groups_rows(self) -> bool:
        """Whether a conversation is several rows."""
        whole = {Target.QUESTION, Target.MESSAGES} & self.columns.keys()
        return Target.CONVERSATION in self.columns and not whole

    @property
    def names(self) -> list[str]:
        """All columns that are read, each once."""
        return list(dict.fromkeys(name for names in self.columns.values() for name in names))

    @property
    def words(self) -> str:
        """As a person is told: `question ← Subject + Body`."""
        return ", ".join(
            f"{target} ← {' + '.join(names)}" for target, names in self.columns.items()
        )

    def take(self, row: Mapping[str, Any], target: str) -> Any:
        """A row's value for a target: as it is, or the texts of several columns joined.

        None where the row has nothing there.
        """
        names = self.columns.get(target, ())
        values = [row.get(name) for name in names]
        if len(values) == 1:
            return values[0]
        texts = [str(value).strip() for value in values if value is not None]
        return "\n\n".join(text for text in texts if text) or None

    def slices(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The values of `slice.KEY` columns that hold something."""
        found = {
            target.removeprefix(_SLICE): self.take(row, target)
            for target in self.columns
            if target.startswith(_SLICE)
        }
        return {key: value for key, value in found.items() if value not in (None, "")}


def parse_columns(written: Sequence[str]) -> dict[str, str]:
    """The pairs of `--columns`, target → columns as written; a name with a comma is quoted.

    Raises:
        InvalidInput: not TARGET=COLUMN, an unknown target, or one named twice.
    """
    found: dict[str, str] = {}
    for pair in (pair for line in csv.reader(written, skipinitialspace=True) for pair in line):
        target, equals, name = pair.partition("=")
        target, name = target.strip(), name.strip()
        if not equals or not name:
            raise InvalidInput(f"--columns wants what=COLUMN pairs, not {pair!r}.")
        if target not in set(Target) and not (target.startswith(_SLICE) and len(target) > 6):
            raise InvalidInput(_unknown(target))
        if target in found:
            raise InvalidInput(f"--columns names {target} twice; join columns by {target}=A+B.")
        found[target] = name
    return found


def resolve_columns(wanted: Mapping[str, str], header: Sequence[str], *, file: str) -> ColumnMap:
    """The map of a file with these columns; without a wish, columns with our names are taken.

    Raises:
        InvalidInput: a column that the file hasn't, or a map that makes no lessons; what to say
            instead.
    """
    if wanted:
        found = {target: _columns(name, header, file=file) for target, name in wanted.items()}
    else:
        found = {}
        for name in header:
            known = _OWN_NAMES.get(name.strip().lower())
            target = str(known) if known else name if name.startswith(_SLICE) else None
            if target and target not in found:
                found[target] = (name,)
    used = {name for names in found.values() for name in names}
    columns = ColumnMap(found, tuple(name for name in header if name not in used))
    if problem := _problem(columns):
        raise InvalidInput(f"{file}: {problem}. {suggestion(header)}")
    return columns


def suggestion(header: Sequence[str]) -> str:
    """What to say of a file with these columns, by the names that exports usually have."""
    plain = {_plain(name): name for name in reversed(header)}
    usual = {
        target: next((plain[name] for name in names if name in plain), None)
        for target, names in _USUAL_NAMES.items()
    }
    several = (Target.CONVERSATION, Target.ROLE, Target.TEXT)
    if usual[Target.ROLE] is None:
        several = (Target.CONVERSATION, Target.AUTHOR, Target.TEXT)
    forms = ((Target.MESSAGES,), several, (Target.QUESTION, Target.ANSWER))
    form = next((form for form in forms if all(usual[target] for target in form)), forms[-1])
    taken: set[str] = set()
    pairs = []
    for target in (*form, Target.CUSTOMER):
        name = usual[target]
        if name in taken:
            name = None
        if name is None and target not in form:
            continue
        taken |= {name} if name else set()
        pairs.append(f"{target}={_quoted(name) if name else 'COLUMN'}")
    return (
        f"Say which columns hold what, such as --columns {','.join(pairs)}; the file has "
        f"{_listed(header)}."
    )


def _columns(name: str, header: Sequence[str], *, file: str) -> tuple[str, ...]:
    """The column of that name, or those that are joined by `+`."""
    if found := _find(name, header):
        return (found,)
    parts = [part.strip() for part in name.split("+")]
    columns = [_find(part, header) for part in parts]
    for part, found in zip(parts, columns, strict=True):
        if found is None:
            raise InvalidInput(_absent(part, header, file=file))
    return tuple(column for column in columns if column is not None)


def _find(name: str, header: Sequence[str]) -> str | None:
    if header.count(name) > 1:
        raise InvalidInput(f"Several columns are called {name!r}; rename one in the file.")
    if name in header:
        return name
    alike = [column for column in header if _plain(column) == _plain(name)]
    return alike[0] if len(alike) == 1 and _plain(name) else None


def _absent(name: str, header: Sequence[str], *, file: str) -> str:
    plain = {_plain(column): column for column in header}
    near = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=0.5)
    meant = f" Did you mean {plain[near[0]]!r}?" if near else ""
    return f"{file} has no column {name!r}.{meant} It has {_listed(header)}."


def _unknown(target: str) -> str:
    near = difflib.get_close_matches(target, [str(one) for one in Target], n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return (
        f"--columns can't fill {target!r}.{meant} There are {', '.join(Target)} and slice.KEY "
        "(what=COLUMN: ours first)."
    )


def _problem(columns: ColumnMap) -> str | None:
    """Why a map makes no lessons."""
    if Target.MESSAGES in columns:
        return None
    if columns.groups_rows:
        if Target.TEXT not in columns:
            return "a conversation of several rows needs text=COLUMN"
        if Target.ROLE not in columns and Target.AUTHOR not in columns:
            return "a conversation of several rows needs role=COLUMN or author=COLUMN"
        return None
    missing = [str(one) for one in (Target.QUESTION, Target.ANSWER) if one not in columns]
    return f"nothing says what is the {' and the '.join(missing)}" if missing else None


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name


def _listed(header: Sequence[str]) -> str:
    shown = ", ".join(header[:_SHOWN]) or "no columns"
    return f"{shown} and {len(header) - _SHOWN} more" if len(header) > _SHOWN else shown
