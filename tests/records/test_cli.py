"""The command line's edge: what a person can mend is one sentence, and who ran a command."""

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from records import cli

ROOT = Path(__file__).resolve().parents[2]

Told = Callable[..., str]


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run the command with settings; what it says on standard error, ending with 1."""

    def run(*arguments: str, **settings: str) -> str:
        monkeypatch.setattr(sys, "argv", ["understudy", *arguments])
        for name, value in {"HOME": str(tmp_path / "home"), **settings}.items():
            monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 1
        said = capsys.readouterr().err
        assert said.startswith("understudy: ")
        assert "Traceback" not in said
        return said

    return run


@pytest.mark.parametrize(
    "url", ["foo", "mysql://u:s3cret@host/x", "postgresql://u:s3cret@host:port/x", "sqlite+x://"]
)
def test_a_database_that_is_none_of_ours_is_said_so_without_its_password(
    told: Told, url: str
) -> None:
    said = told("versions", DATABASE_URL=url)
    assert "UNDERSTUDY_DATABASE_URL" in said
    assert "postgresql://USER" in said
    assert "extra" not in said
    assert "s3cret" not in said


def test_a_home_that_cannot_be_made_is_named(told: Told, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Set UNDERSTUDY_HOME" in told("versions", HOME=str(tmp_path / "file" / "home"))


def test_a_file_that_is_no_database_is_said_so(told: Told, tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("no database " * 100)
    said = told("versions", DATABASE_URL=f"sqlite:///{tmp_path / 'notes.db'}")
    assert "file is not a database" in said


def test_an_assistant_that_is_not_utf_8_is_named(told: Told, tmp_path: Path) -> None:
    (tmp_path / "support.yaml").write_bytes("system_prompt: Grüße".encode("latin-1"))
    said = told("rollback", ASSISTANTS=str(tmp_path))
    assert "support.yaml is not UTF-8" in said


def test_a_missing_extra_is_named_and_any_other_missing_module_is_not_hidden(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Callable[..., None]:
        def run(**_: object) -> None:
            raise ModuleNotFoundError(name=name)

        return run

    monkeypatch.setattr(cli, "understudy", missing("slack_bolt.app"))
    assert "pip install 'understudy[bot]'" in told()
    monkeypatch.setattr(cli, "understudy", missing("MySQLdb"))
    with pytest.raises(ModuleNotFoundError):
        cli.main()


def test_every_extra_that_is_named_can_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {extra for extra, _ in cli._EXTRAS.items()}
    assert extras <= project["optional-dependencies"].keys()


def test_a_user_without_an_entry_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (KeyError("uid not found"), OSError("No username set")):
        monkeypatch.setattr("getpass.getuser", lambda error=error: (_ for _ in ()).throw(error))
        monkeypatch.setattr("os.getuid", lambda: 4711)
        assert cli.actor() == "uid 4711"
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    assert cli.actor() == "ann"
