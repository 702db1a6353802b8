"""Ops teams' commands: on the database alone, in words and as JSON."""

from pathlib import Path

import pytest
from sqlalchemy import select

from records.adapters import CONFIG
from records.assistant import Assistant
from records.conversations import Arrival, add_turn, receive
from records.database import Database
from records.errors import AdapterTampered, Conflict, NotFound
from records.messages import Role
from records.tables import Audit, Turn
from tests.serving.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path, assistant: Assistant, sqlite: Database) -> Terminal:
    return Terminal(tmp_path, assistant, sqlite)


def test_versions_are_listed(terminal: Terminal) -> None:
    version = terminal.trained()
    assert [v["version"] for v in terminal.json("versions")] == ["support-base", version]
    assert "champion" in terminal.run("versions").output


def test_promote_and_roll_back(terminal: Terminal) -> None:
    version = terminal.trained()
    promoted = terminal.json("promote", version, "--without-evidence")
    assert (promoted["version"], promoted["replaces"]) == (version, "support-base")
    told = terminal.run("rollback").output
    assert "support-base is champion now" in told
    assert "as soon as it has loaded and proved it" in told
    with pytest.raises(Conflict, match="Nothing to roll back to"):
        terminal.run("rollback")


def test_the_gate_holds_unless_told_otherwise(terminal: Terminal) -> None:
    with pytest.raises(Conflict, match="without evidence"):
        terminal.run("promote", terminal.trained())


def test_what_does_not_exist_or_was_changed_is_not_promoted(terminal: Terminal) -> None:
    with pytest.raises(NotFound, match="support-base"):
        terminal.run("promote", "support-nothing", "--without-evidence")
    version = terminal.trained()
    file = terminal.artifacts.fetch(f"adapters/{version}") / CONFIG
    file.write_text(file.read_text() + " ")
    with pytest.raises(AdapterTampered):
        terminal.run("promote", version, "--without-evidence")


def test_an_answer_is_explained_in_words(terminal: Terminal) -> None:
    with terminal.database.write() as session:
        asked = receive(session, Arrival("support", "conv_1", "why?"))
        answer = Turn(
            conversation_id=asked.conversation_id, role=Role.ASSISTANT, content="so",
            version="support-base", duration_ms=12, mean_logprob=-0.5,
        )  # fmt: skip
        turn_id = add_turn(session, answer).id
    told = terminal.run("explain", turn_id).output
    assert "Asked:    why?" in told
    assert "support-base" in told
    assert "-0.500 nats" in told
    assert terminal.json("explain", turn_id)["turn"]["id"] == turn_id


def test_the_audit_names_the_person_at_the_command_line(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    assert terminal.json("promote", terminal.trained(), "--without-evidence")["actor"] == "ann"
    assert terminal.json("rollback")["actor"] == "ann"
    terminal.run("keys", "create", "shop")
    terminal.run("keys", "revoke", terminal.json("keys", "list")[0]["id"])
    with terminal.database.read() as session:
        noted = session.scalars(select(Audit.actor).where(Audit.action.endswith("_key"))).all()
    assert noted == ["ann", "ann"]
