"""Reads metrics as a scraper does."""

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text

from serving.metrics import Metrics, exposition


class Scraped:
    """All samples of one scrape."""

    def __init__(self, text: str, *, openmetrics: bool = False) -> None:
        read = read_openmetrics if openmetrics else read_text
        self.families: list[Metric] = list(read(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    @property
    def names(self) -> set[str]:
        """What the families are called in queries, without a histogram's suffixes."""
        return {f"{f.name}_total" if f.type == "counter" else f.name for f in self.families}

    def value(self, name: str, /, **labels: str) -> float | None:
        """A sample's value; None where there is none."""
        return next(
            (
                s.value
                for s in self.samples
                if s.name == f"understudy_{name}" and s.labels == labels
            ),
            None,
        )


class Shown(Scraped):
    """What a gateway's metrics show."""

    def __init__(self, metrics: Metrics, accept: str = "") -> None:
        write, _ = exposition(metrics, accept)
        super().__init__(write().decode(), openmetrics="openmetrics" in accept)
