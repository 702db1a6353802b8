"""Shadows: which version may be one, and how its answers compare."""

from typing import Any

import pytest
from sqlalchemy import select

from records import shadows, versions
from records.assistant import Assistant
from records.conversations import Arrival, add_turn, receive
from records.database import Database
from records.errors import Conflict, InvalidInput, NotFound
from records.messages import Role
from records.shadows import Agreement
from records.states import TurnStatus, Verdict
from records.tables import Audit, ShadowAnswer, Turn
from tests.conftest import install
from tests.records.build import trained


def started(database: Database, assistant: Assistant, name: str = "support-a") -> str:
    install(database, assistant)
    trained(database, name)
    with database.write() as session:
        return shadows.start(session, name, 0.1, actor="ops").id


def test_one_shadow_runs_at_a_time_and_is_audited(database: Database, assistant: Assistant) -> None:
    first = started(database, assistant)
    with database.write() as session:
        with pytest.raises(Conflict, match="runs already"):
            shadows.start(session, "support-a", 0.1, actor="ops")
        shadows.stop(session, "support", actor="ops")
        with pytest.raises(Conflict, match="No shadow"):
            shadows.stop(session, "support", actor="ops")
        assert shadows.newest(session, "support").id == first
        second = shadows.start(session, "support-a", 0.5, actor="ops").id
        assert shadows.newest(session, "support").id == second
    with database.read() as session:
        noted = session.scalars(select(Audit.action).where(Audit.subject == first)).all()
    assert noted == ["start_shadow", "stop_shadow"]


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_an_impossible_share_is_refused(
    database: Database, assistant: Assistant, share: float
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    with database.write() as session, pytest.raises(InvalidInput, match="above 0 and at most 1"):
        shadows.start(session, "support-a", share, actor="ops")


def test_what_may_not_be_a_shadow_is_refused_in_words(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=Verdict.FAIL)
    with database.write() as session:
        with pytest.raises(NotFound, match="support-nothing"):
            shadows.start(session, "support-nothing", 0.1, actor="ops")
        with pytest.raises(Conflict, match="is champion"):
            shadows.start(session, "support-base", 0.1, actor="ops")
        with pytest.raises(Conflict, match="gate said FAIL"):
            shadows.start(session, "support-a", 0.1, actor="ops")
        with pytest.raises(NotFound, match="No shadow"):
            shadows.newest(session, "support")
        shadows.start(session, "support-a", 0.1, actor="ops", without_evidence=True)


def test_a_shadow_ends_when_it_becomes_champion_and_not_before(
    database: Database, assistant: Assistant
) -> None:
    started(database, assistant)
    trained(database, "support-b")
    with database.write() as session:
        versions.promote(session, "support-b", actor="ops")
        assert shadows.running(session, "support") is not None
        versions.promote(session, "support-a", actor="ops", without_evidence=True)
        assert shadows.running(session, "support") is None


def test_agreement_counts_texts_and_handovers(database: Database, assistant: Assistant) -> None:
    shadow = started(database, assistant)
    said: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"content": "yes"}, {"content": "yes\n"}),
        ({"content": "yes"}, {"content": "no", "handed_over": True}),
        ({"content": "yes", "handed_over": True}, {"content": "yes"}),
        ({"content": "wait", "withheld": "yes"}, {"content": "yes"}),
        ({"content": "yes"}, {"content": "", "error": "The engine does not answer."}),
        ({"content": "ye", "status": TurnStatus.ABANDONED}, {"content": "yes"}),
    ]
    with database.write() as session:
        for number, (read, unseen) in enumerate(said):
            asked = receive(session, Arrival("support", f"conv_{number}", "?"))
            turn = Turn(
                conversation_id=asked.conversation_id, role=Role.ASSISTANT, version="support-base",
                **read,
            )  # fmt: skip
            turn_id = add_turn(session, turn).id
            session.add(
                ShadowAnswer(shadow_id=shadow, turn_id=turn_id, version="support-a", **unseen)
            )
    with database.read() as session:
        found = shadows.agreement(session, shadows.newest(session, "support"))
    assert found == Agreement(answers=4, errors=1, same_text=3, same_handover=2)


def test_a_shadow_without_answers_agrees_in_nothing(
    database: Database, assistant: Assistant
) -> None:
    started(database, assistant)
    with database.read() as session:
        found = shadows.agreement(session, shadows.newest(session, "support"))
    assert found == Agreement(0, 0, 0, 0)
