"""Messages about experiments."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.messages.area import Area, Telling
from bot.releases.naming import names_of
from bot.views.content import Content
from bot.views.experiment import Shown, alert_message, digest_message, experiment_message
from records import consents, experiments, versions
from records.ids import utc_now
from records.outbox import Kind
from records.standings import standings
from records.states import AlertKind
from records.tables import Experiment, Version


def shown(session: Session, experiment: Experiment, *, desk: Desk, at: datetime) -> Shown:
    """An experiment with all that is shown of it."""
    arms = [versions.get(session, arm.version) for arm in experiment.arms]
    return Shown(
        experiment,
        sides=standings(session, experiment),
        changes=experiments.changes(session, experiment.id),
        promotable=[version.id for version in arms if versions.has_evidence(session, version)],
        two_persons=desk.assistant(experiment.assistant).slack.two_person_promotion,
        consents=[pair for version in arms for pair in _consents(session, version)],
        at=at,
        names=names_of(session, experiment.assistant),
    )


def _consents(session: Session, version: Version) -> list[tuple[str, str]]:
    return [(actor, version.id) for actor in consents.to_promote(session, version)]


def _experiment(tell: Telling) -> Content:
    experiment = experiments.get(tell.session, tell.row.subject)
    return experiment_message(shown(tell.session, experiment, desk=tell.desk, at=utc_now()))


def _digest(tell: Telling) -> Content:
    experiment = experiments.get(tell.session, tell.row.subject)
    counted = shown(tell.session, experiment, desk=tell.desk, at=utc_now())
    return digest_message(counted, day=int(tell.row.payload.get("day", 1)))


def _alert(tell: Telling) -> Content:
    payload = tell.row.payload
    return alert_message(
        experiments.get(tell.session, tell.row.subject),
        AlertKind(payload["alert"]),
        str(payload["sentence"]),
    )


AREA = Area(
    contents={
        Kind.EXPERIMENT_STARTED: _experiment,
        Kind.EXPERIMENT_DIGEST: _digest,
        Kind.EXPERIMENT_ALERT: _alert,
    },
    renders={},
)
