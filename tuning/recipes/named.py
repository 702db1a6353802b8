"""Recipes by name or by file, and the order in which what was asked for is laid over them.

Defaults, then the named recipe, then the assistant's own keys, then the run's own. What the keys
mean, and which there are, `tuning/training/recipe.py` knows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from records.errors import ConfigurationError

FROM = "from"
"""The key that names a recipe to begin from: a name, a YAML file, or what was read of one."""
FOLDER = Path(__file__).resolve().parent
_SUFFIX = ".yaml"


def names() -> list[str]:
    """The recipes that there are."""
    return sorted(path.stem for path in FOLDER.glob(f"*{_SUFFIX}"))


def layered(own: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a recipe that differ from the defaults: the named recipe's, then the others'.

    A run's `from` takes the place of the assistant's.

    Raises:
        ConfigurationError: there is no such recipe, or its file cannot be read.
    """
    start = overrides.get(FROM, own.get(FROM))
    keys = {**(read_named(start) if start else {}), **own, **overrides}
    keys.pop(FROM, None)
    return keys


def read_named(named: object) -> dict[str, Any]:
    """The keys of a recipe: one of `names()`, a YAML file, or keys as they are.

    Raises:
        ConfigurationError: there is no such recipe, its file cannot be read, or it names another.
    """
    if isinstance(named, Mapping):
        return _keys(named, where="recipe.from")
    text = str(named)
    if text in names():
        return _read(FOLDER / f"{text}{_SUFFIX}")
    if text.endswith((_SUFFIX, ".yml")):
        return _read(Path(text))
    raise ConfigurationError(
        f"There is no recipe {text!r}; there are {', '.join(names())}, or name a YAML file of "
        "your own (PATH.yaml)."
    )


def to_carry(named: str) -> str | dict[str, Any]:
    """What a job keeps of a recipe that was asked for: its name, or a file's keys.

    A file may lie on another machine than the worker's, and change before the job begins.

    Raises:
        ConfigurationError: see `read_named`.
    """
    keys = read_named(named)
    return named if named in names() else keys


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"The recipe {path} cannot be read: {error}") from error
    return _keys({} if content is None else content, where=str(path))


def _keys(content: object, *, where: str) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise ConfigurationError(f"{where} holds no recipe: write `key: value` lines.")
    if FROM in content:
        raise ConfigurationError(f"{where}: a recipe that is begun from can't name another.")
    return {str(key): value for key, value in content.items()}
