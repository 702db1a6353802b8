"""Experiments: arms that divide an assistant's customers, and ramps of a running one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records import audit, outbox, trials
from records.database import lock_assistant
from records.errors import Conflict, InvalidInput, NotFound
from records.ids import utc_now
from records.places import PLACES, divide, places_of
from records.states import AlertKind, ExperimentState
from records.tables import Arm, Audit, Conversation, Experiment, Turn
from records.versions import check_candidate, tell_reports_on

_CHANGES = ("start_experiment", "ramp_experiment", "stop_experiment")


@dataclass(frozen=True, slots=True)
class Side:
    """One arm of an experiment to be started."""

    name: str
    version: str
    share: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Whom an arm has answered so far."""

    arm: str
    customers: int
    conversations: int


def running(session: Session, assistant: str) -> Experiment | None:
    """The experiment that divides the assistant's traffic now, with its arms."""
    return trials.running(session, Experiment, assistant)


def newest(session: Session, assistant: str) -> Experiment:
    """The running experiment, or else the one that was started last.

    Raises:
        NotFound: there was none yet.
    """
    found = trials.newest(session, Experiment, assistant)
    if found is None:
        raise NotFound(f"No experiment of {assistant!r} was started yet.")
    return found


def get(session: Session, experiment_id: str) -> Experiment:
    """One experiment.

    Raises:
        NotFound: no such id.
    """
    found = session.get(Experiment, experiment_id)
    if found is None:
        raise NotFound(f"No experiment {experiment_id!r}.")
    return found


def start(
    session: Session,
    assistant: str,
    sides: Sequence[Side],
    *,
    actor: str,
    without_evidence: bool = False,
) -> Experiment:
    """Divide traffic between versions; shares left over stay with the champion.

    Raises:
        InvalidInput: no side, shares not within 0..1 or above 1 in sum, names repeated, or a
            version of another assistant.
        NotFound: a version that does not exist.
        Conflict: an experiment runs already, or the gate's last verdict on a version is FAIL and
            `without_evidence` is not given.
    """
    _check_shares([side.share for side in sides])
    if not sides or any(places_of(side.share) == 0 for side in sides):
        raise InvalidInput("An experiment needs at least one arm, and each a share above 0.")
    if len({side.name for side in sides}) != len(sides):
        raise InvalidInput("Arms need different names.")
    lock_assistant(session, assistant)
    if running(session, assistant) is not None:
        raise Conflict(f"An experiment of {assistant!r} runs already; stop it first.")
    for side in sides:
        check_candidate(
            session, side.version, assistant=assistant, without_evidence=without_evidence
        )
    spans = divide({}, {side.name: places_of(side.share) for side in sides})
    arms = [
        Arm(
            position=i,
            name=s.name,
            version=s.version,
            share=s.share,
            spans=list(map(list, spans[s.name])),
        )
        for i, s in enumerate(sides)
    ]
    experiment = Experiment(
        assistant=assistant, state=ExperimentState.RUNNING, started_by=actor, arms=arms
    )
    session.add(experiment)
    session.flush()
    shares = {side.name: side.share for side in sides}
    audit.note(
        session, actor=actor, action="start_experiment", subject=experiment.id, shares=shares
    )
    outbox.put(session, outbox.Kind.EXPERIMENT_STARTED, experiment.id)
    tell_reports_on(session, {side.version for side in sides})
    return experiment


def set_shares(
    session: Session, assistant: str, shares: Mapping[str, float], *, actor: str
) -> Experiment:
    """Ramp the running experiment: give arms, by name, another share; 0 takes in nobody new.

    Customers only join an arm that grows or leave one that shrinks; all others stay where they are.

    Raises:
        Conflict: no experiment runs.
        NotFound: an arm that does not exist.
        InvalidInput: shares not within 0..1, or above 1 in sum.
    """
    lock_assistant(session, assistant)
    experiment = running(session, assistant)
    if experiment is None:
        raise Conflict(f"No experiment of {assistant!r} runs.")
    before = {arm.name: arm.share for arm in experiment.arms}
    if unknown := sorted(shares.keys() - before.keys()):
        raise NotFound(f"The experiment has no arm {unknown[0]!r}; it has: {', '.join(before)}.")
    after = {**before, **shares}
    _check_shares(after.values())
    spans = divide(
        {arm.name: [(first, end) for first, end in arm.spans] for arm in experiment.arms},
        {name: places_of(share) for name, share in after.items()},
    )
    for arm in experiment.arms:
        arm.share, arm.spans = after[arm.name], [list(span) for span in spans[arm.name]]
    audit.note(
        session, actor=actor, action="ramp_experiment", subject=experiment.id, before=before,
        after=after,
    )  # fmt: skip
    now = utc_now().isoformat()
    outbox.put(session, outbox.Kind.EXPERIMENT_CHANGED, experiment.id, revision=now)
    return experiment


def _check_shares(shares: Iterable[float]) -> None:
    shares = list(shares)
    if any(not 0 <= share <= 1 for share in shares) or sum(map(places_of, shares)) > PLACES:
        raise InvalidInput("Shares must lie between 0 and 1, and be at most 1 together.")


def stop(session: Session, assistant: str, *, actor: str) -> Experiment:
    """Give all traffic back to the champion.

    Raises:
        Conflict: no experiment runs.
    """
    stopped = trials.stop(session, Experiment, assistant, actor=actor)
    if stopped is None:
        raise Conflict(f"No experiment of {assistant!r} runs.")
    tell_reports_on(session, {arm.version for arm in stopped.arms})
    return stopped


def alert(session: Session, experiment_id: str, kind: AlertKind, sentence: str) -> None:
    """Tell Slack, once per kind and experiment, of something that a person should look at.

    Raises:
        NotFound: no such experiment.
    """
    get(session, experiment_id)
    outbox.put(
        session,
        outbox.Kind.EXPERIMENT_ALERT,
        experiment_id,
        revision=kind,
        alert=kind,
        sentence=sentence,
    )


def changes(session: Session, experiment_id: str) -> list[Audit]:
    """Who started, ramped and stopped an experiment, from the first on."""
    return list(
        session.scalars(
            select(Audit)
            .where(Audit.subject == experiment_id, Audit.action.in_(_CHANGES))
            .order_by(Audit.id)
        )
    )


def tally(session: Session, experiment: Experiment) -> list[Tally]:
    """How many customers and conversations each arm has answered; arms in their order.

    A conversation whose customer is unknown counts as a customer of its own.
    """
    customer = func.coalesce(Conversation.customer, Conversation.id)
    rows = session.execute(
        select(
            Turn.arm,
            func.count(customer.distinct()),
            func.count(Turn.conversation_id.distinct()),
        )
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(
            Turn.version.in_({arm.version for arm in experiment.arms}),  # it has an index
            Turn.experiment == experiment.id,
            Conversation.trial.is_(False),
        )
        .group_by(Turn.arm)
    )
    found = {name: (customers, conversations) for name, customers, conversations in rows}
    return [Tally(arm.name, *found.get(arm.name, (0, 0))) for arm in experiment.arms]
