"""`understudy erase` counts, asks, erases, and says what is left to people."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from records.database import Database
from tests.tuning.erasure.test_erase import ANNA, SECRET_A, variables
from tests.tuning.erasure.world import World, records_with
from tuning.erasure.commands import erase


@pytest.fixture
def world(sqlite: Database, tmp_path: Path) -> World:
    return World.begin(sqlite, tmp_path)


def run(world: World, *arguments: str, answer: str = "") -> Result:
    return CliRunner(env=variables(world)).invoke(erase, arguments, input=answer)


def test_it_counts_and_asks_before_it_erases(world: World) -> None:
    world.flag(world.talk(ANNA, SECRET_A)[1], SECRET_A)
    asked = run(world, "--customer", ANNA, answer="n\n")
    assert asked.exit_code == 1
    assert "1  conversations" in asked.output
    assert records_with(SECRET_A, world.database)
    done = run(world, "--customer", ANNA, answer="y\n")
    assert done.exit_code == 0, done.output
    assert "Erased (er_" in done.output
    assert records_with(SECRET_A, world.database) == {}


def test_a_dry_run_says_so_and_names_the_adapters_with_the_command(world: World) -> None:
    world.flag(world.talk(ANNA, SECRET_A)[1], SECRET_A)
    champion = world.adapter(world.dataset(), serves=True)
    shown = run(world, "--customer", ANNA, "--dry-run")
    assert "nothing is changed" in shown.output
    assert f"{champion} (champion, serves as champion)" in shown.output
    assert "understudy retrain --assistant support" in shown.output
    assert records_with(SECRET_A, world.database)


def test_what_is_left_is_told_and_the_exit_says_so(world: World) -> None:
    world.flag(world.talk(ANNA, SECRET_A)[1], SECRET_A)
    world.adapter(world.dataset(), serves=True)
    done = run(world, "--customer", ANNA, "--yes")
    assert done.exit_code == 1
    assert "Not done yet: support-" in done.output


def test_as_json_it_names_all_places_in_slack(world: World) -> None:
    conversation, _ = world.talk(ANNA, SECRET_A)
    world.escalate(conversation, SECRET_A, ends=True)
    done = run(world, "--customer", ANNA, "--yes", "--json")
    result = json.loads(done.output)
    assert result["done"]
    assert result["shown"][0]["channel"] == "C1"
    assert result["written"][0][0] == "C1"
    assert result["commands"] == []


def test_nobody_is_erased_who_is_not_there(world: World) -> None:
    done = run(world, "--customer", "nobody", "--yes")
    assert done.output == "Nothing of this customer's is stored.\n"
    assert records_with("er_", world.database).get("erasures") is None


def test_one_of_customer_and_erasure_is_wanted(world: World) -> None:
    assert "Give either --customer ID or --erasure ID" in run(world).output
    assert "Give either" in run(world, "--customer", "a", "--erasure", "b").output
