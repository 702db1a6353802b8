"""Versions have numbers, wherever they are named to people."""

import re
from pathlib import Path

import pytest

from bot.releases.naming import names_of
from bot.standin.people import text_of
from bot.views.content import duration
from bot.views.report import dated_report
from bot.views.version_names import BY_ID, VersionNames
from records import experiments, reports
from records.experiments import Side
from records.states import Verdict
from tests.bot.office import CHANNEL, Office, found, offering, saying, told
from tests.bot.releases import challenger

NAMES = VersionNames({"support-base": 1, "support-3f9c2a71d0e4": 2})


def test_a_version_is_named_by_its_number_and_its_id() -> None:
    assert NAMES.full("support-3f9c2a71d0e4") == "version 2 (support-3f9c2a71d0e4)"
    assert NAMES.first("support-base") == "Version 1 (support-base)"
    assert NAMES.short("support-base") == "version 1"
    assert NAMES.to_paste("support-base") == "version 1 (`support-base`)"


def test_a_version_without_a_number_is_named_by_its_id() -> None:
    for named in (NAMES.full, NAMES.first, NAMES.short, BY_ID.full):
        assert named("support-gone") == "support-gone"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (89 * 60, "89 min"),
        (2 * 3600, "2 h"),
        (5400, "1.5 h"),
        (30 * 3600, "30 h"),
        (48 * 3600, "2 days"),
        (96 * 3600, "4 days"),
        (400 * 86400, "400 days"),
        (2000 * 86400, "2,000 days"),
    ],
)
def test_a_length_of_time_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words


async def test_report_confirmation_and_release_name_versions_by_number(
    office: Office, tmp_path: Path
) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    olga = office.person("U0OLGA")
    report = await found(olga, offering("promote"))
    new, old = f"version 2 ({name})", "version 1 (support-base)"
    assert f"Report: {new} against {old}" in text_of(report)
    asked = str(report["blocks"])
    assert f"Then {new} answers all customers of support in place of {old}." in asked
    await olga.click(CHANNEL, report["ts"], "promote")
    await found(olga, saying(f"V{new[1:]}* was promoted in place of {old}"))


async def test_a_card_its_thread_and_an_experiment_name_versions_by_number(
    office: Office, tmp_path: Path
) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    assert "Version 1 (support-base)" in text_of(card)
    assert "esc_" not in text_of(card)
    with office.database.write() as session:
        experiments.start(session, "support", [Side("challenger", name, 0.1)], actor="U0OLGA")
    running = await found(ann, offering("stop_experiment"))
    assert f"*Version 2 ({name})* (challenger), 10% of the customers" in text_of(running)


async def test_the_list_tells_numbers_and_ages(office: Office, tmp_path: Path) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    ann = office.person("U0ANN")
    await ann.slash("/versions", channel=CHANNEL)
    shown = text_of(await told(ann, "Versions of support"))
    assert f"*Version 2 ({name})*" in shown
    assert "*Version 1 (support-base)*" in shown
    assert re.search(r"made \d+ s ago \(<!date", shown)


@pytest.mark.parametrize(
    "named", ["2 1", "1 2", "v2 v1", "version 2 and 1", "2 champion", "2", "support 2 1"]
)
async def test_versions_are_compared_by_number(office: Office, tmp_path: Path, named: str) -> None:
    name, report = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    ann = office.person("U0ANN")
    await ann.slash("/compare", named, channel=CHANNEL)
    shown = text_of(await told(ann, f"Report: version 2 ({name}) against version 1 (support-base)"))
    assert report in shown


def test_tables_are_headed_by_numbers(closed_office: Office, tmp_path: Path) -> None:
    name, report_id = challenger(closed_office, tmp_path / "a", verdict=Verdict.PASS)
    with closed_office.database.read() as session:
        report, names = reports.get(session, report_id), names_of(session, "support")
    summary = f"| Metric | support-base | {name} | Difference |\n| --- | --- | --- | --- |"
    shown = text_of({"blocks": dated_report(report, summary=summary, why=[], names=names).blocks})
    assert "| Metric | version 1 | version 2 | Difference |" in shown
