"""What people read in Slack stands in `bot/wording`, nowhere else, and is used as it is meant."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDING = sorted(p for p in (ROOT / "bot" / "wording").glob("*.py") if p.stem != "__init__")
CODE = sorted(
    path
    for path in (ROOT / "bot").rglob("*.py")
    if not {"standin", "wording"} & set(path.relative_to(ROOT).parts)
    and path.name not in ("main.py", "commands.py")  # of the command line
)
TREES = {path: ast.parse(path.read_text()) for path in [*CODE, *WORDING]}

SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:]? +[a-z]{2,}|^[A-Z][a-z]{2,}[.!?…]?$")
"""Two words after each other, or one with a capital: what a person might read."""

MARKUP = re.compile(r"<|text/html")

NOT_READ_IN_SLACK = {
    "ConfigurationError": "read by who starts the bot, in a terminal",
    "UsageError": "the same",
    "echo": "the same",
    "Field": "documentation of settings",
    "command": "the command line",
    "option": "the same",
    "group": "the same",
    "Nothing": "why a row needs no message, for the log",
    "execute": "SQL",
    "text": "SQL",
    "TypeVar": "a name for the type checker",
    "compile": "a pattern",
    "json_response": "read by programs",
    "create_task": "a name for who debugs",
    "require_hold": "a part of a sentence of the records'",
}
"""Calls whose strings nobody reads in Slack, and why."""


def parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_excepted(node: ast.AST, above: dict[ast.AST, ast.AST]) -> bool:
    """Whether a string is a docstring, an annotation, or goes where nobody in Slack reads it."""
    while node in above:
        node, inner = above[node], node
        if isinstance(node, ast.Expr) and isinstance(inner, ast.Constant):
            return True
        if isinstance(node, ast.Assert | ast.Subscript):
            return True
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is inner:
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is inner:
            return True
        if isinstance(node, ast.Call) and (
            name_of(node) in NOT_READ_IN_SLACK or is_log(node) or is_type(node, inner)
        ):
            return True
    return False


def is_log(call: ast.Call) -> bool:
    function = call.func
    return isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "log"


def is_type(call: ast.Call, inner: ast.AST) -> bool:
    return name_of(call) == "cast" and call.args[0] is inner


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    above = parents(TREES[path])
    for node in ast.walk(TREES[path]):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        may_be_read = SENTENCE.search(node.value) and not MARKUP.match(node.value)
        if may_be_read and not is_excepted(node, above):
            yield node.lineno, node.value


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_people_read_stands_in_wording(path: Path) -> None:
    found = [f"line {line}: {text!r}" for line, text in sentences(path)]
    assert found == [], f"{path.relative_to(ROOT)}: put what people read into bot/wording"


def constants(path: Path) -> Iterator[str]:
    for node in TREES[path].body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


@cache
def uses() -> set[tuple[str, str]]:
    """Area and name of every constant that the code uses, wherever it got it from."""
    found = set()
    for path in CODE:
        names = aliases(TREES[path])
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.Attribute):
                found |= {(area, node.attr) for area in areas_of(node.value, names)}
    for path in WORDING:
        found |= {(path.stem, n.id) for n in ast.walk(TREES[path]) if is_read(n)}
    return found


def is_read(node: ast.AST) -> Any:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


Aliases = dict[str, set[str]]


def aliases(tree: ast.AST) -> Aliases:
    """Names that stand for areas' modules: `words = wording.review`, and imports of one."""
    areas = {path.stem for path in WORDING}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "bot.wording":
            for imported in node.names:
                found[imported.asname or imported.name] |= {imported.name} & areas
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name, value in assigned(target, node.value):
                    found[name] |= areas_of(value, {})
    return found


def assigned(target: ast.AST, value: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Names and what they stand for, of `a = x` and of `a, b = x, y`."""
    if isinstance(target, ast.Name):
        yield target.id, value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from assigned(one, its)


def areas_of(node: ast.AST, names: Aliases) -> set[str]:
    """The area of `wording.review`, or those that a name may stand for."""
    if isinstance(node, ast.Name):
        return names.get(node.id, set())
    is_area = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "wording"
    return {node.attr} if is_area and isinstance(node, ast.Attribute) else set()


@pytest.mark.parametrize("path", WORDING, ids=lambda path: path.stem)
def test_every_word_is_used(path: Path) -> None:
    used = uses()
    assert [name for name in constants(path) if (path.stem, name) not in used] == []


def gaps(template: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, *_ in Formatter().parse(template) if name}


def module_of(area: str) -> ModuleType:
    return import_module(f"bot.wording.{area}")


def value_of(area: str, name: str) -> Any:
    return getattr(module_of(area), name)


def fillings() -> Iterator[tuple[Path, int, str, str, set[str]]]:
    """Where a text is used: with which gaps filled."""
    for path in CODE:
        names, above = aliases(TREES[path]), parents(TREES[path])
        for node in ast.walk(TREES[path]):
            if not isinstance(node, ast.Attribute):
                continue
            filled = filled_in(node, above)
            if filled is None:
                continue
            for area in areas_of(node.value, names):
                if hasattr(module_of(area), node.attr):
                    yield path, node.lineno, area, node.attr, filled


def filled_in(node: ast.AST, above: dict[ast.AST, ast.AST]) -> set[str] | None:
    """The gaps that `.format(...)` fills; None where that can't be read off."""
    while isinstance(above.get(node), ast.Subscript):
        node = above[node]
    method = above.get(node)
    call = above.get(method) if method else None
    if not isinstance(method, ast.Attribute) or method.attr != "format":
        return None
    if not isinstance(call, ast.Call) or any(k.arg is None for k in call.keywords) or call.args:
        return None
    return {str(keyword.arg) for keyword in call.keywords}


def test_every_gap_is_filled_where_a_sentence_is_used() -> None:
    wrong = []
    for path, line, area, name, filled in fillings():
        value = value_of(area, name)
        templates = value.values() if isinstance(value, dict) else [value]
        wanted = {
            gap for template in templates if isinstance(template, str) for gap in gaps(template)
        }
        is_choice = isinstance(value, dict)
        if (not wanted <= filled) or (not is_choice and filled != wanted):
            wrong.append(f"{path.relative_to(ROOT)}:{line} {area}.{name}: {filled} for {wanted}")
    assert wrong == []


@pytest.mark.parametrize("path", WORDING, ids=lambda path: path.stem)
def test_sentences_can_be_formatted_and_have_no_nameless_gaps(path: Path) -> None:
    for name in constants(path):
        value = value_of(path.stem, name)
        for template in value.values() if isinstance(value, dict) else [value]:
            if isinstance(template, str):
                names = [gap for _, gap, *_ in Formatter().parse(template) if gap is not None]
                assert all(names), f"{name}: a gap without a name"
