"""Versions, and the release pointer of each assistant."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, fixes, outbox, trials
from records.adapters import base_hash, verify
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database, lock_assistant
from records.errors import Conflict, InvalidInput, NotFound
from records.ids import utc_now
from records.states import ReleaseAction, Verdict, VersionState
from records.tables import Experiment, Release, Report, Shadow, Version


def get(session: Session, version_id: str) -> Version:
    """One version.

    Raises:
        NotFound: no such version.
    """
    found = session.get(Version, version_id)
    if found is None:
        known = session.scalars(select(Version.id).order_by(Version.created_at.desc()).limit(5))
        raise NotFound(f"No version {version_id!r}; the newest are: {', '.join(known) or 'none'}.")
    return found


def listed(session: Session, assistant: str | None = None) -> list[Version]:
    """All versions, oldest first."""
    query = select(Version).order_by(Version.created_at, Version.id)
    if assistant is not None:
        query = query.where(Version.assistant == assistant)
    return list(session.scalars(query))


def numbers(session: Session, *assistants: str) -> dict[str, int]:
    """The number of each version within its assistant, by its id: the first is 1, as it stays.

    Ids say what a version is made of; from these numbers people tell which is the newer one.
    """
    rows = session.execute(
        select(Version.id, Version.assistant)
        .where(Version.assistant.in_(assistants))
        .order_by(Version.created_at, Version.id)
    )
    counted: Counter[str] = Counter()
    found = {}
    for version, assistant in rows:
        counted[assistant] += 1
        found[version] = counted[assistant]
    return found


def pointer(session: Session, assistant: str) -> Release | None:
    """The newest change of the release pointer: its `version` is the champion."""
    return session.scalar(
        select(Release).where(Release.assistant == assistant).order_by(Release.id.desc()).limit(1)
    )


Step = tuple[str, str | None, ReleaseAction]
"""A release: `(version, replaces, action)`."""


def releases(session: Session, assistant: str) -> list[Step]:
    """Every change of the release pointer, from the oldest on."""
    rows = session.execute(
        select(Release.version, Release.replaces, Release.action)
        .where(Release.assistant == assistant)
        .order_by(Release.id)
    )
    return [(version, replaces, action) for version, replaces, action in rows]


def standing(steps: Iterable[Step]) -> tuple[str, ...]:
    """Versions that may serve, given the releases from the oldest on.

    The release pointer's comes first, then what a roll-back would go to, and so on. A version from
    which a roll-back went away may not serve until it is promoted again.
    """
    stack: list[str] = []
    for version, replaces, action in steps:
        gone = {version, replaces} if action is ReleaseAction.ROLLBACK else {version}
        stack = [version, *(v for v in stack if v not in gone)]
    return tuple(stack)


def champion(session: Session, assistant: str) -> Version:
    """The version that serves customers.

    Raises:
        NotFound: nothing was installed yet.
    """
    release = pointer(session, assistant)
    if release is None:
        raise NotFound(f"Assistant {assistant!r} serves no version yet; start the gateway once.")
    return get(session, release.version)


def bare(assistant: Assistant) -> Version:
    """An assistant's base model without an adapter, as a version to be installed."""
    return Version(
        id=assistant.base_version,
        assistant=assistant.name,
        base_model=assistant.base_model,
        base_hash=base_hash(assistant.base_model),
        state=VersionState.TRAINED,
    )


def check_files(database: Database, artifacts: Artifacts, version_id: str) -> None:
    """Hold a version's adapter against its name before anything points to it.

    Raises:
        NotFound: no such version, or its adapter is not in the artifact store.
        AdapterTampered: its files have changed.
    """
    with database.read() as session:
        path = get(session, version_id).adapter_path
    if path is not None:
        verify(artifacts.fetch(path), name=version_id)


def install_base(session: Session, version: Version) -> bool:
    """Register the bare base model and make it champion where there is none.

    Raises:
        Conflict: the same name stands for another base already.
    """
    lock_assistant(session, version.assistant)
    known = session.get(Version, version.id)
    if known is not None:
        if known.base_hash != version.base_hash:
            raise Conflict(
                f"{version.id} was installed with another base model ({known.base_model}). "
                "Versions trained on it cannot be served with this one: rename the assistant."
            )
        return False
    session.add(version)
    session.flush()
    if pointer(session, version.assistant) is None:
        _point(session, version, action=ReleaseAction.INSTALL, actor="understudy")
    return True


def register(session: Session, version: Version) -> Version:
    """Add a trained version; one of the same id is returned as it is (its name is its content)."""
    known = session.get(Version, version.id)
    if known is not None:
        return known
    session.add(version)
    session.flush()
    audit.note(session, actor="worker", action="trained", subject=version.id)
    return version


def mark_evaluated(session: Session, version_id: str) -> None:
    """Note that a trained version has a report."""
    version = get(session, version_id)
    if version.state is VersionState.TRAINED:
        version.state = VersionState.EVALUATED


def promote(
    session: Session, version_id: str, *, actor: str, without_evidence: bool = False
) -> Release:
    """Make a version champion; its assistant's running experiment ends.

    Raises:
        NotFound: no such version.
        Conflict: it is champion already, was discarded, or the gate did not pass it against the
            present champion on the assistant's own cases and `without_evidence` is not given.
    """
    version = get(session, version_id)
    lock_assistant(session, version.assistant)
    if without_evidence:
        _refuse_champion(version, pointer(session, version.assistant))
        refuse_discarded(session, version)
    else:
        require_evidence(session, version)
    return _point(session, version, action=ReleaseAction.PROMOTE, actor=actor)


def verdict_of(session: Session, version_id: str, *, champion: str | None = None) -> Verdict | None:
    """What the gate last said of a version (against `champion`) on the assistant's own cases.

    None where it was not asked. Other cases don't count: easy ones would let everything pass.
    """
    query = select(Report.verdict).where(
        Report.challenger == version_id, Report.verdict.is_not(None), Report.frozen
    )
    if champion is not None:
        query = query.where(Report.champion == champion)
    return session.scalar(query.order_by(Report.created_at.desc(), Report.id.desc()).limit(1))


def may_promote(session: Session, report: Report) -> bool:
    """Whether `promote` takes the report's challenger now, on this report's evidence."""
    current = pointer(session, report.assistant)
    serving = current.version if current else None
    return (
        report.frozen
        and report.verdict is Verdict.PASS
        and serving in (None, report.champion)
        and not is_discarded(session, report.challenger)
        and verdict_of(session, report.challenger, champion=serving) is Verdict.PASS
    )


def may_try(session: Session, version_id: str) -> bool:
    """Whether a version may get customers in an experiment: see `check_candidate`."""
    version = session.get(Version, version_id)
    if version is None or version.state is VersionState.DISCARDED:
        return False
    current = pointer(session, version.assistant)
    is_champion = current is not None and current.version == version_id
    return not is_champion and verdict_of(session, version_id) is not Verdict.FAIL


def candidates(session: Session, assistant: str, *, most: int) -> list[Version]:
    """Versions that an experiment may try, the newest first."""
    newest_first = reversed(listed(session, assistant))
    return [version for version in newest_first if may_try(session, version.id)][:most]


def is_discarded(session: Session, version_id: str) -> bool:
    """Whether somebody decided against a version."""
    version = session.get(Version, version_id)
    return version is not None and version.state is VersionState.DISCARDED


def refuse_discarded(session: Session, version: Version) -> None:
    """See that nobody decided against a version.

    Raises:
        Conflict: somebody did.
    """
    session.refresh(version)  # as read before the lock it may be old
    if version.state is VersionState.DISCARDED:
        raise Conflict(f"{version.id} was discarded. Take it back first.")


def note_evidence(session: Session, report: Report) -> None:
    """Bring earlier reports on the same versions up to date: a new verdict may end what they allow.

    Call it when a report was added, or became the newest again.
    """
    if report.verdict is None or not report.frozen:
        return
    earlier = select(Report.id).where(
        Report.challenger == report.challenger,
        Report.champion == report.champion,
        Report.id != report.id,
    )
    revision = f"{report.id}:{report.created_at.isoformat()}"
    for other in session.scalars(earlier):
        outbox.put(session, outbox.Kind.REPORT_CHANGED, other, revision=revision)


def has_evidence(session: Session, version: Version) -> bool:
    """Whether `promote` takes a version now."""
    try:
        require_evidence(session, version)
    except Conflict:
        return False
    return True


def require_evidence(session: Session, version: Version) -> None:
    """See that a version may be promoted now.

    Raises:
        Conflict: it is champion already, was discarded, or the gate did not pass it against the
            present champion on the assistant's own cases.
    """
    current = pointer(session, version.assistant)
    _refuse_champion(version, current)
    refuse_discarded(session, version)
    _require_pass(session, version, champion=current.version if current else None)


def _refuse_champion(version: Version, current: Release | None) -> None:
    if current is not None and current.version == version.id:
        raise Conflict(f"{version.id} is champion already.")


def _require_pass(session: Session, version: Version, *, champion: str | None) -> None:
    if version.adapter_path is None:
        return  # the bare base is what everything was compared with
    verdict = verdict_of(session, version.id, champion=champion)
    if verdict is not Verdict.PASS:
        said = f"the gate said {verdict}"
        if verdict is None:
            earlier = verdict_of(session, version.id)
            said = f"it was not compared with the champion, {champion}"
            said += f" (against an earlier one, the gate said {earlier})" if earlier else ""
        raise Conflict(
            f"{version.id} is not promoted: {said}. The gate must pass on the assistant's own "
            "cases. To take it all the same, say that you do so without evidence "
            "(--without-evidence)."
        )


def check_candidate(
    session: Session, version_id: str, *, assistant: str, without_evidence: bool
) -> None:
    """Refuse a version that should not even be tried.

    Raises:
        NotFound: no such version.
        InvalidInput: it belongs to another assistant.
        Conflict: it was discarded, or the gate's last verdict on it is FAIL and
            `without_evidence` is not given.
    """
    version = get(session, version_id)
    if version.assistant != assistant:
        raise InvalidInput(
            f"{version.id} belongs to assistant {version.assistant!r}, not {assistant!r}."
        )
    refuse_discarded(session, version)
    if not without_evidence and verdict_of(session, version.id) is Verdict.FAIL:
        raise Conflict(
            f"The gate said FAIL of {version.id}, so it gets no customers. To try it all the same, "
            "say that you do so without evidence (--without-evidence)."
        )


def passed(session: Session, assistant: str, *, champion: str, most: int) -> list[str]:
    """Versions that the gate passes against the champion now, the newest evidence first."""
    rows = session.execute(
        select(Report.challenger, Report.verdict)
        .join(Version, Version.id == Report.challenger)
        .where(
            Version.state != VersionState.DISCARDED,
            Report.assistant == assistant,
            Report.champion == champion,
            Report.verdict.is_not(None),
            Report.frozen,
        )
        .order_by(Report.created_at.desc(), Report.id.desc())
    )
    last: dict[str, Verdict | None] = {}
    for challenger, verdict in rows:
        last.setdefault(challenger, verdict)
    return [name for name, verdict in last.items() if verdict is Verdict.PASS][:most]


def rollback(session: Session, assistant: str, *, actor: str) -> Release:
    """Go back to the version that the champion replaced; a running experiment ends.

    Raises:
        Conflict: there is nothing to go back to.
    """
    lock_assistant(session, assistant)
    version = before(session, assistant)
    return _point(session, version, action=ReleaseAction.ROLLBACK, actor=actor)


def before(session: Session, assistant: str) -> Version:
    """The version that a roll-back goes to.

    Raises:
        Conflict: there is nothing to go back to.
    """
    stack = standing(releases(session, assistant))
    if not stack:
        raise Conflict(f"Nothing to roll back to: {assistant!r} serves no version yet.")
    if len(stack) < 2:
        raise Conflict(
            f"Nothing to roll back to: no promotion of {assistant!r} is left to be taken back, and "
            f"{stack[0]} serves. To let another version serve, promote it."
        )
    return get(session, stack[1])


def _point(session: Session, version: Version, *, action: ReleaseAction, actor: str) -> Release:
    """Move the pointer; the caller holds the assistant's lock."""
    current = pointer(session, version.assistant)
    if current is not None:
        _turn(session, get(session, current.version), VersionState.RETIRED)
    _turn(session, version, VersionState.CHAMPION)
    release = Release(
        assistant=version.assistant,
        version=version.id,
        replaces=current.version if current else None,
        action=action,
        actor=actor,
    )
    session.add(release)
    session.flush()
    audit.note(session, actor=actor, action=str(action), subject=version.id)
    if action is not ReleaseAction.INSTALL:
        _end_trials(session, version, actor=actor)
        outbox.put(
            session, outbox.Kind.RELEASED, version.id, revision=release.id, release=release.id
        )
        _tell_reports(session, release)
        if current is not None:
            _tell_replaced(session, current, by=release)
    if action is ReleaseAction.PROMOTE:
        fixes.tell_fixed(session, version.id, release=str(release.id))
    return release


def _end_trials(session: Session, champion: Version, *, actor: str) -> None:
    """A new champion ends the experiment; a shadow only where it is the champion now."""
    stopped = trials.stop(session, Experiment, champion.assistant, actor=actor)
    if stopped is not None:
        tell_reports_on(session, {arm.version for arm in stopped.arms})
    shadow = trials.running(session, Shadow, champion.assistant)
    if shadow is not None and shadow.version == champion.id:
        trials.stop(session, Shadow, champion.assistant, actor=actor)


def _turn(session: Session, version: Version, state: VersionState) -> None:
    session.refresh(version)  # as read before the lock it may be old, and a change seem none
    version.state = state


def _tell_reports(session: Session, release: Release) -> None:
    """What may be pressed on a report depends on which of its versions is champion."""
    touched = (release.version, release.replaces)
    reports = session.scalars(
        select(Report.id).where(Report.challenger.in_(touched) | Report.champion.in_(touched))
    )
    for report in reports:
        outbox.put(session, outbox.Kind.REPORT_CHANGED, report, revision=release.id)


def _tell_replaced(session: Session, replaced: Release, *, by: Release) -> None:
    """From the message of a release one goes back while its version serves."""
    outbox.put(
        session,
        outbox.Kind.RELEASED_CHANGED,
        replaced.version,
        revision=by.id,
        release=replaced.id,
    )


def tell_reports_on(session: Session, challengers: Iterable[str]) -> None:
    """Bring the reports on versions up to date that something happened to."""
    session.flush()
    now = utc_now().isoformat()
    for report in session.scalars(select(Report.id).where(Report.challenger.in_(challengers))):
        outbox.put(session, outbox.Kind.REPORT_CHANGED, report, revision=now)
