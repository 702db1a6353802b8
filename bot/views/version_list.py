"""The versions of an assistant, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import escaped, literal
from bot.views.content import Content, content, duration, line, moment, small
from bot.views.version_names import BY_ID, VersionNames
from records.states import Verdict
from records.tables import Version

MOST = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A version, and what the gate last said of it."""

    version: Version
    verdict: Verdict | None


def version_list(
    assistant: str,
    found: Sequence[Listed],
    *,
    left_out: int,
    now: datetime,
    names: VersionNames = BY_ID,
) -> Content:
    """At most `MOST` versions; `left_out` older ones are not among them."""
    words = wording.releases
    blocks: list[Block] = [line(words.VERSIONS_TITLE.format(assistant=literal(assistant)))]
    blocks += [line(_line(one, names, now)) for one in found[:MOST]]
    if not found:
        blocks = [line(words.NO_VERSIONS.format(assistant=literal(assistant)))]
    if left_out:
        blocks.append(small(words.VERSIONS_LEFT_OUT.format(number=f"{left_out:,}")))
    return content(escaped(words.VERSIONS_FALLBACK.format(assistant=assistant)), blocks)


def _line(one: Listed, names: VersionNames, now: datetime) -> str:
    words, version = wording.releases, one.version
    return words.VERSION_LINE.format(
        version=literal(names.first(version.id)),
        age=duration((now - version.created_at).total_seconds()),
        state=words.VERSION_STATES[version.state],
        verdict=words.VERDICTS[one.verdict] if one.verdict else words.NO_VERDICT,
        at=moment(version.created_at),
        dataset=literal(version.dataset_id) if version.dataset_id else words.BARE_BASE,
    )
