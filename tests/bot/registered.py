"""What the bot listens to, found by letting its listeners register with a notebook."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import MagicMock

from bot import listeners
from bot.workspaces import removal


@dataclass
class Notebook:
    """Stands in for Bolt's app, and notes what is asked of it."""

    asked: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def listen(constraint: Any = None, *_: Any, **__: Any) -> Callable[[Any], Any]:
            self.asked[name].append(constraint)
            return lambda function: function

        return listen


def registered() -> dict[str, list[Any]]:
    """Constraints by what is listened to: action, shortcut, view, command, event, ..."""
    notebook = Notebook()
    app: Any = notebook
    listeners.register(app, MagicMock(), MagicMock(), MagicMock(), MagicMock())
    removal.register(app, MagicMock())
    return dict(notebook.asked)
