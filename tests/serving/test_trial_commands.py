"""Experiments and shadows from a terminal: what is done, what is refused, what is shown."""

from pathlib import Path

import pytest
from sqlalchemy import select

from records import experiments, shadows
from records.assistant import Assistant
from records.conversations import Arrival, add_turn, receive
from records.database import Database
from records.errors import Conflict, InvalidInput, NotFound
from records.messages import Role
from records.states import Verdict
from records.tables import Audit, ShadowAnswer, Turn
from tests.records.build import reported
from tests.serving.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path, assistant: Assistant, sqlite: Database) -> Terminal:
    return Terminal(tmp_path, assistant, sqlite)


def answer(terminal: Terminal, conversation: str, customer: str | None, **more: object) -> str:
    """Record an answered question; returns the answer's id."""
    with terminal.database.write() as session:
        receive(session, Arrival("support", conversation, "?", customer=customer))
        turn = Turn(conversation_id=conversation, role=Role.ASSISTANT, content="so", **more)
        return add_turn(session, turn).id


def test_an_experiment_is_started_ramped_shown_and_stopped(terminal: Terminal) -> None:
    version = terminal.trained()
    started = terminal.json("experiment", "start", version, "--share", "0.01")
    assert started["arms"] == [{"name": "challenger", "version": version, "share": 0.01}]
    for share in ("0.1", "0.5"):
        told = terminal.run("experiment", "ramp", share).output
        assert f"{float(share):.0%}".replace("%", " %") in told
    for conversation, customer in (("c1", "ann"), ("c2", "ann"), ("c3", "bob")):
        answer(
            terminal, conversation, customer,
            version=version, experiment=started["id"], arm="challenger",
        )  # fmt: skip
    for conversation in ("c4", "c5"):
        answer(terminal, conversation, "eve", version="support-base")
    told = terminal.run("experiment", "show").output
    assert told.splitlines() == [
        f"Experiment {started['id']} of support: running",
        f"{'ARM':10}  {'VERSION':20}  SHARE  CUSTOMERS  CONVERSATIONS",
        f"challenger  {version}  50 %   2          3",
        f"-           {'support-base':20}  50 %   1          2",
    ]
    shown = terminal.json("experiment", "show")
    assert (shown["arms"][0]["customers"], shown["arms"][0]["conversations"]) == (2, 3)
    assert terminal.json("experiment", "stop")["state"] == "stopped"
    with pytest.raises(Conflict, match="No experiment of 'support' runs"):
        terminal.run("experiment", "stop")
    assert "stopped" in terminal.run("experiment", "show").output
    with terminal.database.read() as session:
        noted = session.scalars(select(Audit.action).where(Audit.subject == started["id"])).all()
    assert noted == ["start_experiment", "ramp_experiment", "ramp_experiment", "stop_experiment"]


def test_an_experiment_may_have_several_arms(terminal: Terminal) -> None:
    one, other = terminal.trained(1), terminal.trained(2)
    started = terminal.json(
        "experiment", "start", "--arm", f"one={one}:0.2", "--arm", f"other={other}:0.3"
    )
    assert [(a["name"], a["version"], a["share"]) for a in started["arms"]] == [
        ("one", one, 0.2),
        ("other", other, 0.3),
    ]
    ramped = terminal.json("experiment", "ramp", "one=0", "other=1")
    assert [arm["share"] for arm in ramped["arms"]] == [0, 1]
    with pytest.raises(NotFound, match="no arm 'challenger'; it has: one, other"):
        terminal.run("experiment", "ramp", "0.5")
    with pytest.raises(InvalidInput, match="at most 1 together"):
        terminal.run("experiment", "ramp", "one=0.5")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "at least one arm"),
        (("support-base",), "VERSION together with --share"),
        (("--share", "0.1"), "VERSION together with --share"),
        (("support-base", "--share", "0"), "at least one arm"),
        (("support-base", "--share", "1.5"), "between 0 and 1"),
        (("--arm", "support-base:0.1"), "NAME=VERSION:SHARE"),
        (("--arm", "a=support-base:much"), "'much' is no share"),
    ],
)
def test_what_is_no_experiment_is_refused_in_words(
    terminal: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        terminal.run("experiment", "start", *arguments)


@pytest.mark.parametrize("command", ["experiment", "shadow"])
def test_a_version_that_the_gate_failed_takes_part_only_on_purpose(
    terminal: Terminal, command: str
) -> None:
    version = terminal.trained()
    reported(terminal.database, version, Verdict.FAIL)
    start = (command, "start", version, "--share", "0.1")
    with pytest.raises(Conflict, match="gate said FAIL"):
        terminal.run(*start)
    terminal.run(*start, "--without-evidence")
    with pytest.raises(Conflict, match="runs already"):
        terminal.run(*start, "--without-evidence")
    with pytest.raises(NotFound, match="support-nothing"):
        terminal.run(command, "start", "support-nothing", "--share", "0.1")


@pytest.mark.parametrize("command", ["experiment", "shadow"])
def test_nothing_started_means_nothing_to_show_or_stop(terminal: Terminal, command: str) -> None:
    with pytest.raises(NotFound, match=f"No {command} of 'support' was started yet"):
        terminal.run(command, "show")
    with pytest.raises(Conflict, match=f"No {command} of 'support' runs"):
        terminal.run(command, "stop")


def test_a_shadow_is_started_shown_and_stopped(terminal: Terminal) -> None:
    version = terminal.trained()
    started = terminal.json("shadow", "start", version, "--share", "0.25")
    assert (started["version"], started["share"]) == (version, 0.25)
    for number, content in enumerate(("so", "not so")):
        turn = answer(terminal, f"c{number}", None, version="support-base")
        with terminal.database.write() as session:
            shadow = shadows.newest(session, "support").id
            session.add(
                ShadowAnswer(shadow_id=shadow, turn_id=turn, version=version, content=content)
            )
    assert terminal.run("shadow", "show").output.splitlines() == [
        f"Shadow {started['id']} of support: running",
        f"{version} is asked 25 % of the questions",
        "answers:        2",
        "no answer:      0",
        "same text:      1 (50.0 %)",
        "same hand-over: 2 (100.0 %)",
    ]
    assert terminal.json("shadow", "stop")["state"] == "stopped"
    assert terminal.json("shadow", "show")["same_text"] == 1


def test_commands_need_the_assistants_name_where_there_are_several(
    terminal: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "assistants" / "sales.yaml").write_text(
        "name: sales\nsystem_prompt: x\nbase_model: some/base\n"
    )
    with pytest.raises(NotFound, match="there are: sales, support"):
        terminal.run("experiment", "stop")
    with pytest.raises(InvalidInput, match="belongs to assistant 'support', not 'sales'"):
        terminal.run(
            "experiment", "start", terminal.trained(), "--share", "0.1", "--assistant", "sales"
        )
    with terminal.database.read() as session:
        assert experiments.running(session, "sales") is None
