"""What the gateway's database holds after a run: an answer that was seen must be there."""

from collections.abc import Sequence

from sqlalchemy import func, select

from benchmarks.serving.load import Result
from benchmarks.serving.servers import Server
from records.database import Database
from records.messages import Role
from records.states import TurnStatus
from records.tables import Turn


def complete_turns(database_url: str) -> dict[Role, int]:
    """How many complete turns the customers and the assistant have."""
    database = Database(database_url)
    query = (
        select(Turn.role, func.count())
        .where(Turn.status == TurnStatus.COMPLETE)
        .group_by(Turn.role)
    )
    try:
        with database.read() as session:
            return dict(session.execute(query).tuples().all())
    finally:
        database.close()


def require_recorded(gateway: Server, results: Sequence[Result]) -> None:
    """Stop unless each answer that was seen is recorded once, with its question.

    A failed request may have been recorded too: nobody knows how far it came.

    Raises:
        SystemExit: turns are missing, or there are too many.
    """
    answers = sum(result.answers_in_all for result in results)
    failures = sum(sum(result.failures.values()) for result in results)
    found = complete_turns(gateway.environment["UNDERSTUDY_DATABASE_URL"])
    for role in (Role.CUSTOMER, Role.ASSISTANT):
        if not answers <= found.get(role, 0) <= answers + failures:
            raise SystemExit(
                f"Turns are missing or doubled: {answers} answers were seen and {failures} failed, "
                f"but the database has {found.get(role, 0)} turns of the {role}."
            )
