"""Versions and reports, made in one line."""

from records import versions
from records.database import Database
from records.states import Verdict, VersionState
from records.tables import Report, Version


def trained(
    database: Database,
    name: str,
    *,
    verdict: Verdict | None = Verdict.PASS,
    champion: str = "support-base",
    frozen: bool = True,
    assistant: str = "support",
) -> str:
    with database.write() as session:
        versions.register(
            session,
            Version(
                id=name,
                assistant=assistant,
                base_model="some/base",
                base_hash="0" * 64,
                adapter_path=f"adapters/{name}",
                state=VersionState.TRAINED,
            ),
        )
    if verdict:
        reported(database, name, verdict, champion=champion, frozen=frozen)
    return name


def reported(
    database: Database,
    name: str,
    verdict: Verdict,
    *,
    champion: str = "support-base",
    frozen: bool = True,
) -> Report:
    with database.write() as session:
        report = Report(
            assistant="support",
            champion=champion,
            challenger=name,
            cases_hash="c",
            frozen=frozen,
            verdict=verdict,
            body={},
            path="reports/x",
        )
        session.add(report)
        session.flush()
        versions.note_evidence(session, report)
    return report


def champion(database: Database) -> str:
    with database.read() as session:
        return versions.champion(session, "support").id
