"""What flags led to: one's own, the team's, and how long a fix takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import cut, literal, who
from bot.views.content import duration, line, small
from bot.views.example import why_rejected
from bot.views.version_names import BY_ID, VersionNames
from records.flag_results import FlagResults

_MOST_AGENTS = 10
_MOST_VERSIONS = 3
_MOST_WHYS = 3
_WHY = 120
_MOST_ASSISTANTS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """How an assistant's corrections come on."""

    assistant: str
    waiting: int
    seconds_to_fix: float | None


@dataclass(frozen=True, slots=True)
class ResultsShown:
    """What App Home says of flags to one person."""

    agent: str
    days: int
    by_agent: Mapping[str, FlagResults]
    versions: Sequence[str]
    figures: Sequence[Figures]
    names: VersionNames = BY_ID


def results_blocks(shown: ResultsShown) -> list[Block]:
    """One's own flags, the team's, the figures of each assistant."""
    own = shown.by_agent.get(shown.agent)
    blocks: list[Block] = [line(wording.home.YOUR_FLAGS.format(days=shown.days))]
    if own is None:
        blocks.append(line(wording.home.NO_FLAGS))
    else:
        blocks.append(line(_results(own, whys=_MOST_WHYS)))
    if shown.versions:
        blocks.append(small(_versions(shown.versions, shown.names)))
    if shown.by_agent:
        blocks += _team(shown)
    return [*blocks, *(small(_figures(one)) for one in shown.figures[:_MOST_ASSISTANTS])]


def _team(shown: ResultsShown) -> list[Block]:
    agents = list(shown.by_agent.items())
    lines = [
        wording.home.TEAM_LINE.format(who=who(agent), results=_results(results, whys=0))
        for agent, results in agents[:_MOST_AGENTS]
    ]
    blocks: list[Block] = [
        line(wording.home.TEAM.format(days=shown.days)),
        line("\n".join(lines)),
    ]
    if len(agents) > _MOST_AGENTS:
        left = len(agents) - _MOST_AGENTS
        blocks.append(small(wording.home.TEAM_MORE.format(number=left)))
    return blocks


def _results(results: FlagResults, *, whys: int) -> str:
    counted = [
        (wording.home.FLAGGED, results.flagged),
        (wording.home.FLAG_WITHOUT, results.without),
        (wording.home.FLAG_WAITING, results.waiting),
        (wording.home.FLAG_APPROVED, results.approved),
        (_rejected(results, whys=whys), results.rejected),
        (wording.home.FLAG_TRAINED, results.trained),
        (wording.home.FLAG_FIXED, results.fixed),
    ]
    shown = [one for one in counted if one[1] or one[0] is wording.home.FLAGGED]
    return " · ".join(words.format(number=f"{number:,}") for words, number in shown)


def _rejected(results: FlagResults, *, whys: int) -> str:
    """The words for rejected examples, with the reasons that were given most often."""
    given = results.why.most_common(whys)
    if not given:
        return wording.home.FLAG_REJECTED
    why = "; ".join(
        wording.home.FLAG_WHY.format(why=why_rejected(cut(note, _WHY)), number=count)
        for note, count in given
    )
    why = why.replace("{", "{{").replace("}", "}}")  # a reviewer's own words
    return wording.home.FLAG_REJECTED_WHY.format(why=why, number="{number}")


def _versions(versions: Sequence[str], names: VersionNames) -> str:
    named = ", ".join(literal(names.full(version), 100) for version in versions[:_MOST_VERSIONS])
    if len(versions) <= _MOST_VERSIONS:
        return wording.home.TRAINED_IN.format(versions=named)
    left = len(versions) - _MOST_VERSIONS
    return wording.home.TRAINED_IN_MORE.format(versions=named, number=left)


def _figures(one: Figures) -> str:
    fix = wording.home.FIGURES_NO_FIX
    if one.seconds_to_fix is not None:
        fix = wording.home.FIGURES_FIX.format(duration=duration(one.seconds_to_fix))
    return wording.home.FIGURES.format(
        assistant=literal(one.assistant), waiting=f"{one.waiting:,}", fix=fix
    )
