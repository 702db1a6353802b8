"""The photographed day, part by part."""

from collections.abc import Awaitable, Callable

from deploy.demo.pictures import asking, correcting, releasing, talking, traffic
from deploy.demo.pictures.scene import Scene

Part = Callable[[Scene], Awaitable[None]]


async def weeks_before(scene: Scene) -> None:
    """What was corrected in the weeks before."""
    traffic.approve_corrections(scene.office)


DAY: tuple[Part, ...] = (
    weeks_before,
    talking.cards_arrive,
    talking.a_colleague_is_asked,
    talking.ann_helps_lena,
    talking.nobody_reads,
    talking.ann_resolves,
    correcting.cem_flags,
    correcting.ann_flags,
    correcting.colleagues_flag,
    correcting.dana_reviews,
    asking.ann_asks,
    releasing.olga_retrains,
    releasing.the_report_comes,
    asking.ann_compares,
    asking.ben_gets_a_draft,
    releasing.olga_experiments,
    releasing.olga_promotes,
    releasing.receipts_come,
    releasing.olga_rolls_back,
)
