"""`understudy keys`: made, listed with their limits, revoked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from records import keys
from records.cli import understudy
from records.database import Database
from records.errors import InvalidInput, NotFound, UnderstudyError
from records.states import KeyScope
from records.tables import Audit

Command = Callable[..., str]


@pytest.fixture
def command(tmp_path: Path, sqlite: Database) -> Command:
    """Runs `understudy keys` on the database in the test's folder, as a person would."""

    def run(*arguments: str, fails: bool = False) -> str:
        environment = {"UNDERSTUDY_HOME": str(tmp_path)}
        result = CliRunner().invoke(understudy, ["keys", *arguments], env=environment)
        if isinstance(result.exception, UnderstudyError):
            raise result.exception
        assert (result.exit_code != 0) is fails, result.output
        return result.output

    return run


def listed(command: Command) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(command("list", "--json"))
    return found


def test_a_key_is_shown_once_listed_and_revoked(command: Command, sqlite: Database) -> None:
    made = json.loads(command("create", "shop", "--json"))
    assert made["key"].startswith("us-")
    (found,) = listed(command)
    assert (found["name"], found["scope"], found["revoked_at"]) == ("shop", "customer", None)
    table = command("list")
    assert made["key"] not in table
    assert "in use" in table
    with sqlite.read() as session:
        assert keys.find(session, made["key"]) is not None
    command("revoke", found["id"])
    with sqlite.read() as session:
        assert keys.find(session, made["key"]) is None
    assert "revoked" in command("list")
    with pytest.raises(NotFound):
        command("revoke", found["id"])


@pytest.mark.parametrize("scope", list(KeyScope))
def test_a_key_of_each_scope_can_be_made(command: Command, scope: KeyScope) -> None:
    command("create", "tool", "--scope", scope.value)
    assert listed(command)[0]["scope"] == scope.value
    assert scope.value in command("create", "--help")


def test_a_keys_own_limits_are_kept_and_listed(command: Command, sqlite: Database) -> None:
    limits = ("--requests-per-minute", "600", "--concurrent-requests", "0")
    command("create", "shop", *limits)
    command("create", "other")
    first, second = listed(command)
    assert (first["requests_per_minute"], first["concurrent_requests"]) == (600, 0)
    assert (second["requests_per_minute"], second["concurrent_requests"]) == (None, None)
    rows = command("list").splitlines()
    assert rows[0].split() == ["ID", "NAME", "SCOPE", "PER", "MINUTE", "AT", "ONCE", "STATE"]
    assert rows[1].split()[3:] == ["600", "no", "limit", "in", "use"]
    assert rows[2].split()[3:] == ["setting", "setting", "in", "use"]
    with sqlite.read() as session:
        noted = session.scalars(select(Audit.detail).where(Audit.action == "create_key")).all()
    assert noted[0]["requests_per_minute"] == 600
    assert "requests_per_minute" not in noted[1]


def test_a_limit_below_nothing_is_refused(command: Command, sqlite: Database) -> None:
    assert "-1 is not in the range" in command(
        "create", "shop", "--requests-per-minute", "-1", fails=True
    )
    with sqlite.write() as session, pytest.raises(InvalidInput) as refused:
        keys.create(
            session, name="shop", scope=KeyScope.OPS, actor="ann", concurrent_requests=2**31
        )
    assert refused.value.field == "concurrent_requests"


@pytest.mark.parametrize("name", ["", "x" * 65, "a\0b"])
def test_a_keys_name_fits_into_the_audit(command: Command, name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 64 characters"):
        command("create", name)
