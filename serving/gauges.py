"""What the metrics read from the gateway's parts at the moment they are asked for."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

from records.errors import NotFound
from serving.event_feed import Feed
from serving.fleet import Fleet
from serving.metrics import NONE, Kind, Labels, Metrics
from serving.recorder import Recorder
from serving.shadowing import Shadowing
from serving.traffic import Traffic


def watch_recorder(metrics: Metrics, recorder: Recorder) -> None:
    """Show what waits to be written."""
    metrics.watch("recorder_queue", "Records that wait to be written.", lambda: recorder.waiting)
    metrics.watch(
        "spooled_records",
        "Records in the local journal that the database does not have yet.",
        lambda: recorder.spooled,
    )


def watch_shadowing(metrics: Metrics, shadowing: Shadowing) -> None:
    """Show how many questions of the sample a shadow has answered, and how many it has not."""
    metrics.watch(
        "shadow_answers",
        "Answers of shadows that were recorded.",
        lambda: shadowing.answered,
        kind=Kind.COUNTER,
    )
    metrics.watch(
        "shadow_drops",
        "Questions of the sample that no shadow was asked, or whose answer was not recorded.",
        lambda: shadowing.dropped,
        kind=Kind.COUNTER,
    )


def watch_feed(metrics: Metrics, feed: Feed) -> None:
    """Show how many streams of events are open."""
    metrics.watch("event_streams_open", "Streams of events that are open.", lambda: feed.open)


def watch_fleet(metrics: Metrics, fleet: Fleet) -> None:
    """Show how each engine is."""

    def of_engines(key: str) -> Iterator[tuple[Labels, float]]:
        for engine in fleet.state():
            value = engine[key]
            number = len(value) if isinstance(value, list) else float(value)
            yield (_address(engine["url"]),), number

    for name, key, help_ in (
        ("engine_healthy", "healthy", "Whether the engine answers (1) or is down (0)."),
        ("engine_busy", "busy", "Requests of this gateway that the engine works on."),
        ("engine_ready_versions", "ready", "Versions that the engine may answer as now."),
        ("engine_refused_versions", "refused", "Versions that failed their proof there."),
    ):
        metrics.watch(name, help_, partial(of_engines, key), labels=("engine",))


def watch_traffic(metrics: Metrics, traffic: Traffic, *, assistants: tuple[str, ...]) -> None:
    """Show which version the release pointer names, and which one serves."""

    def of(assistant: str) -> tuple[str, str]:
        try:
            return traffic.pointed(assistant), traffic.champion(assistant)
        except NotFound:
            return NONE, NONE

    metrics.watch(
        "champion_served",
        "Whether the version serves that the release pointer names.",
        lambda: [((name,), float(len({*of(name)}) == 1)) for name in assistants],
        labels=("assistant",),
    )
    metrics.watch(
        "release_info",
        "The version that the release pointer names, and the one that serves; always 1.",
        lambda: [((name, *of(name)), 1) for name in assistants],
        labels=("assistant", "pointed", "served"),
    )


def _address(url: str) -> str:
    """An engine's host and port; the rest of its URL may hold a password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
