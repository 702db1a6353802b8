"""Trained versions with reports, as the worker leaves them."""

from pathlib import Path

from records import adapters, outbox, versions
from records.ids import new_id, utc_now
from records.states import ExampleSource, ExampleState, Verdict, VersionState
from records.tables import Example, Report, Version
from tests.bot.office import Office

FLAG = ExampleSource.FLAG

# One transparent pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def challenger(
    office: Office, folder: Path, *, verdict: Verdict, frozen: bool = True
) -> tuple[str, str]:
    """A version with an adapter on disk and a report that is ready: their ids."""
    folder.mkdir(parents=True)
    (folder / adapters.WEIGHTS).write_bytes(b"weights " + str(folder).encode())
    (folder / adapters.CONFIG).write_text("{}")
    (folder / adapters.MANIFEST).write_text("{}")
    name = adapters.adapter_name("support", folder)
    office.artifacts.publish(folder, f"adapters/{name}")
    report = _report(office, name, folder, verdict=verdict)
    report.frozen = frozen
    version = Version(
        id=name,
        assistant="support",
        base_model="some/base",
        base_hash="0" * 64,
        adapter_path=f"adapters/{name}",
        state=VersionState.TRAINED,
    )
    with office.database.write() as session:
        versions.register(session, version)
        session.add(report)
        session.flush()
        outbox.put(session, outbox.Kind.REPORT_READY, report.id)
    return name, report.id


def _report(office: Office, name: str, folder: Path, *, verdict: Verdict) -> Report:
    pages = folder.parent / f"{folder.name}-report"
    pages.mkdir()
    (pages / "report.md").write_text("| metric | A | B |\n| --- | --- | --- |\n| f1 | 0.2 | 0.8 |")
    (pages / "plot.png").write_bytes(PNG)
    (pages / "changes.csv").write_text("change,question\nbroken,Where is my card?\n")
    report_id = f"rep_{name}"
    office.artifacts.publish(pages, f"reports/{report_id}")
    return Report(
        id=report_id,
        assistant="support",
        champion="support-base",
        challenger=name,
        cases_hash="0" * 64,
        verdict=verdict,
        body={
            "reasons": [
                "Customers are served better: 60.0 % → 20.0 % of 992 cases not served right.",
                "knowledge=old: 10.0 % → 11.0 % not served right; at most 4.0 points worse.",
                "knowledge=new: 80.0 % → 40.0 % not served right; not worse.",
            ],
            "settle": ["About 50 more cases would settle it."],
            "slices": [
                _slice("knowledge=new", -0.4, low=-0.5, high=-0.3),
                _slice("knowledge=old", 0.01, low=-0.02, high=0.04),
            ],
            "changes": {"fixed": 40, "broken": 3, "reworded": 7},
        },
        path=f"reports/{report_id}",
    )


def _slice(name: str, value: float, *, low: float, high: float) -> dict[str, object]:
    return {"name": name, "difference": {"value": value, "low": low, "high": high}}


def approve_examples(office: Office, count: int = 3, *, source: ExampleSource = FLAG) -> None:
    """Examples that a retraining may use."""
    with office.database.write() as session:
        for number in range(count):
            session.add(
                Example(
                    assistant="support",
                    key=f"{source}:{new_id('k')}",
                    source=source,
                    prompt=[{"role": "customer", "content": f"Question {number}?"}],
                    chosen="Open the app.",
                    state=ExampleState.APPROVED,
                    created_by="U0ANN",
                    decided_by="U0DANA",
                    decided_at=utc_now(),
                )
            )


def copied(report: Report, *, verdict: Verdict) -> Report:
    """Another report on the same versions and cases."""
    return Report(
        assistant=report.assistant,
        champion=report.champion,
        challenger=report.challenger,
        cases_hash=report.cases_hash,
        frozen=report.frozen,
        verdict=verdict,
        body=report.body,
        path=report.path,
    )
