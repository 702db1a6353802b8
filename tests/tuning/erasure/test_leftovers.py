"""Journals lose the customer's lines and no others; what a process holds is left and told."""

import fcntl
import json
import os
import time
from pathlib import Path

from records.database import Database
from records.states import JobState
from records.tables import Job
from tuning.erasure.leftovers import (
    Needles,
    drop_job_folders,
    drop_unfinished,
    sweep_journals,
)

ANNA = "anna “A” müller"


def write(path: Path, *lines: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_that_name_their_ids_or_the_customer_go_and_others_stay(tmp_path: Path) -> None:
    event = {"event": {"event_id": "Ev1", "thread_ts": "17.000100", "text": "secret"}}
    other = {"event": {"event_id": "Ev2", "thread_ts": "17.000200", "text": "kept"}}
    inbox = write(tmp_path / "slack-inbox" / "a.jsonl", event, other)
    spool = write(
        tmp_path / "spool" / "b.jsonl",
        {"conversation_id": "conv_1", "turns": []},
        {"conversation_id": "conv_2", "turns": [{"content": "mentions conv_12"}]},
    )
    swept = sweep_journals(tmp_path, Needles({"conv_1", "17.000100"}, ANNA))
    assert (swept.lines, swept.held) == (2, {})
    assert lines(inbox) == [other]
    assert lines(spool) == [
        {"conversation_id": "conv_2", "turns": [{"content": "mentions conv_12"}]}
    ]


def test_a_conversation_that_only_the_journal_knows_is_theirs_as_a_whole(tmp_path: Path) -> None:
    begun = {
        "conversation_id": "conv_new",
        "started": {"customer": ANNA},
        "turns": [{"content": 1}],
    }
    later = {"conversation_id": "conv_new", "started": None, "turns": [{"content": 2}]}
    first = write(tmp_path / "spool" / "a.rejected", begun)
    second = write(tmp_path / "spool" / "b.jsonl", later)
    for plain in (True, False):
        first.write_text(json.dumps(begun, ensure_ascii=plain) + "\n")
        write(second, later)
        assert sweep_journals(tmp_path, Needles(set(), ANNA)).lines == 2
        assert not first.exists()
        assert not second.exists()


def test_a_journal_that_a_process_holds_is_left_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "spool" / "a.jsonl", {"conversation_id": "conv_1"})
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        swept = sweep_journals(tmp_path, Needles({"conv_1"}, None))
    assert (swept.lines, swept.held) == (0, {"the gateway": 1})
    assert lines(path) == [{"conversation_id": "conv_1"}]


def test_a_held_journal_without_their_words_is_in_nobodys_way(tmp_path: Path) -> None:
    path = write(tmp_path / "slack-inbox" / "a.jsonl", {"event": {"text": "x"}})
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert sweep_journals(tmp_path, Needles({"conv_1"}, ANNA)).held == {}


def test_looking_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "spool" / "a.jsonl", {"conversation_id": "conv_1"})
    assert sweep_journals(tmp_path, Needles({"conv_1"}, None), only_look=True).lines == 1
    assert path.exists()


def test_working_files_of_ended_jobs_go_and_those_of_others_stay(
    sqlite: Database, tmp_path: Path
) -> None:
    jobs = tmp_path / "jobs"
    with sqlite.write() as session:
        rows = [
            Job(assistant="support", state=JobState.FAILED, requested_by="ops"),
            Job(assistant="support", state=JobState.RUNNING, requested_by="ops"),
            Job(assistant="sales", state=JobState.SUCCEEDED, requested_by="ops"),
        ]
        session.add_all(rows)
        session.flush()
        names = [row.id for row in rows]
    for name in (*names, "job_unknown"):
        write(jobs / name / "wordings.jsonl", "secret")
    assert drop_job_folders(sqlite, jobs, ["support"], only_look=True) == 2
    assert drop_job_folders(sqlite, jobs, ["support"]) == 2
    assert {path.name for path in jobs.iterdir()} == set(names[1:])


def test_what_nobody_will_finish_goes_and_what_arrives_for_a_job_stays(
    sqlite: Database, tmp_path: Path
) -> None:
    now = time.time()
    for name in (".arriving_1", ".leaving_1", "ds-1"):
        write(tmp_path / "datasets" / name / "train", "secret")
    with sqlite.write() as session:
        job = Job(assistant="sales", state=JobState.RUNNING, requested_by="ops")
        session.add(job)
    drop_unfinished(sqlite, tmp_path, now=now)
    assert {p.name for p in (tmp_path / "datasets").iterdir()} == {".arriving_1", "ds-1"}
    os.utime(tmp_path / "datasets" / ".arriving_1", (now - 4000, now - 4000))
    drop_unfinished(sqlite, tmp_path, now=now)
    assert {p.name for p in (tmp_path / "datasets").iterdir()} == {"ds-1"}
