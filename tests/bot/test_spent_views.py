"""What a retraining took, as the report's card says it."""

from bot.views.report import Standing, report_message
from bot.views.spent import spent_line
from records.ids import utc_now
from records.states import Verdict
from records.tables import Report

SPENT = {"seconds": 660.0, "accelerator_seconds": 480.0, "cost": 0.4012, "currency": "EUR"}


def test_time_and_cost_are_one_line() -> None:
    line = "Retraining took 11 min, 8 min of it with the accelerator, 0.40 EUR"
    assert spent_line(SPENT) == line


def test_what_was_not_noted_is_not_said() -> None:
    assert spent_line({}) == ""
    assert spent_line({"seconds": 5.0, "accelerator_seconds": 0.0}) == "Retraining took 5 s"


def test_the_report_carries_it_in_small_print_beside_its_id() -> None:
    report = Report(
        id="rep_1",
        assistant="support",
        champion="support-base",
        challenger="support-1",
        frozen=True,
        verdict=Verdict.PASS,
        body={},
        path="reports/rep_1",
        created_at=utc_now(),
    )
    standing = Standing(None, None, may_promote=False)
    with_it = report_message(report, why=[], standing=standing, spent=SPENT)
    last = with_it.blocks[-1]
    assert last["type"] == "context"
    assert [e["text"] for e in last["elements"]] == [spent_line(SPENT), "rep_1"]
