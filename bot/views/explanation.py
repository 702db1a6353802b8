"""Why an answer is what it is: answer → version → dataset → example → flag → who."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from slack_sdk.models.blocks import Block, ContextBlock, DividerBlock

from bot import wording
from bot.text import clean, cut, literal, who
from bot.views.content import (
    Content,
    content,
    line,
    moment,
    ours,
    plain,
    probability,
    said,
    small,
    took,
)
from bot.views.version_names import BY_ID, VersionNames
from records.states import (
    EscalationReason,
    EscalationState,
    ExampleSource,
    FlagReason,
    ReleaseAction,
    Verdict,
    VersionState,
)

_MOST_FLAGS = 5
_MOST_RELEASES = 5
_MOST_EXAMPLES = 3
_LEAD = 100
"""Of what the nearest example teaches, in the lines that lead."""

Found = Mapping[str, Any]


def explanation(found: Found, *, names: VersionNames = BY_ID) -> Content:
    """What `records.lineage.explain` found: which version said it and why, then all of it."""
    turn = found["turn"]
    lead = [_by(turn, names), _learned(found)]
    blocks = [
        line("\n".join(sentence for sentence in lead if sentence)),
        DividerBlock(),
        *_turn(turn),
        *_escalation(found["escalation"]),
        *[line(_flag(flag)) for flag in found["flags"][-_MOST_FLAGS:]],
        *_version(found["version"], names),
        *_dataset(found["dataset"]),
        small(literal(turn["id"]), literal(turn["conversation_id"])),
    ]
    return content(wording.explaining.FALLBACK, blocks)


def _by(turn: Found, names: VersionNames) -> str:
    words = wording.explaining
    if not turn["version"]:
        return words.BY_NOBODY
    version = literal(names.first(turn["version"]))
    if turn["arm"]:
        return words.BY_ARM.format(version=version, arm=literal(turn["arm"]))
    return words.BY_VERSION.format(version=version)


def _learned(found: Found) -> str:
    """What it was trained on that is most like the question."""
    words, dataset = wording.explaining, found["dataset"]
    if found["version"] is None:
        return ""
    if dataset is None:
        return words.NO_DATASET if found["version"]["adapter"] else words.BARE
    number = f"{sum(dataset['examples_by_source'].values()):,}"
    nearest = dataset["nearest_examples"][:1]
    if not nearest:
        return words.LEARNED_NOTHING_LIKE.format(number=number)
    (example,) = nearest
    return words.LEARNED.format(
        number=number,
        likeness=f"{example['likeness']:.0%}",
        question=literal(example["question"], _LEAD),
        answer=literal(example["chosen"] or words.EXAMPLE_HANDOVER, _LEAD),
    )


def _turn(turn: Found) -> list[Block]:
    words = wording.explaining
    asked = [small(words.ASKED), *said(turn["asked"], most=1)] if turn["asked"] else []
    answered = words.ANSWERED.format(at=_at(turn["at"]))
    told = said(turn["answered"], most=2)
    return [*asked, small(answered), *told, *_measured(turn)]


def _measured(turn: Found) -> list[Block]:
    """What is known of how the answer was made."""
    if not turn["version"]:
        return []
    tried = ""
    if turn["experiment"]:
        tried = wording.explaining.EXPERIMENT.format(experiment=literal(turn["experiment"]))
    return [small(_took(turn), tried)]


def _took(turn: Found) -> str:
    passed = took(turn["duration_ms"])
    tokens = f"{turn['completion_tokens'] or 0:,}"
    if turn["mean_logprob"] is None:
        return wording.explaining.TOOK.format(duration=passed, tokens=tokens)
    return wording.explaining.TOOK_SURE.format(
        duration=passed,
        tokens=tokens,
        probability=probability(math.exp(min(0.0, turn["mean_logprob"]))),
    )


def _escalation(escalation: Found | None) -> list[Block]:
    if escalation is None:
        return []
    sentence = wording.explaining.HANDED_OVER.format(
        reason=wording.conversations.REASONS[EscalationReason(escalation["reason"])],
        cause=literal(escalation["cause"]),
        state=wording.explaining.STATES[EscalationState(escalation["state"])],
    )
    return [line(sentence)]


def _flag(flag: Found) -> str:
    words, by, at = wording.explaining, who(flag["by"]), _at(flag["at"])
    if not flag["reason"]:
        return words.FLAGGED.format(who=by, at=at)
    reason = wording.review.FLAG_REASONS[FlagReason(flag["reason"])]
    return words.FLAGGED_BECAUSE.format(who=by, at=at, reason=reason)


def _version(version: Found | None, names: VersionNames) -> list[Block]:
    if version is None:
        return []
    words = wording.explaining.VERSION if version["parent"] else wording.explaining.VERSION_BARE
    verdict = version["verdict"]
    sentence = words.format(
        version=literal(names.first(version["id"])),
        state=wording.releases.VERSION_STATES[VersionState(version["state"])],
        verdict=wording.releases.VERDICTS[Verdict(verdict)]
        if verdict
        else wording.releases.NO_VERDICT,
        parent=literal(names.full(version["parent"] or "")),
        base=literal(_base(version["base_model"])),
    )
    releases = [_release(release) for release in version["releases"][-_MOST_RELEASES:]]
    return [line(sentence), *([small(*releases)] if releases else [])]


def _base(model: str) -> str:
    """A base model's name; of a folder only its own: nobody in Slack needs a machine's paths."""
    path = PurePath(model)
    return path.name if path.is_absolute() else model


_ACTIONS = {
    ReleaseAction.PROMOTE: wording.explaining.PROMOTED,
    ReleaseAction.ROLLBACK: wording.explaining.ROLLED_BACK,
    ReleaseAction.INSTALL: wording.explaining.INSTALLED,
}


def _release(release: Found) -> str:
    return wording.explaining.RELEASES.format(
        action=_ACTIONS[ReleaseAction(release["action"])],
        who=who(release["by"]),
        at=_at(release["at"]),
    )


def _dataset(dataset: Found | None) -> list[Block]:
    if dataset is None:
        return []
    counts = [
        wording.retraining.SOURCES[ExampleSource(source)].format(count=f"{count:,}")
        for source, count in dataset["examples_by_source"].items()
    ]
    words = wording.explaining.DATASET
    title = words.format(dataset=literal(dataset["id"]), counts=", ".join(counts))
    return [line(title), *_nearest(dataset["nearest_examples"])]


def _source(source: str) -> str:
    return wording.review.SOURCES[ExampleSource(source)]


def _nearest(examples: Sequence[Found]) -> list[Block]:
    if not examples:
        return []
    shown = [_example(example) for example in examples[:_MOST_EXAMPLES]]
    return [small(wording.explaining.NEAREST), *shown]


def _example(example: Found) -> Block:
    """What an example teaches, in somebody's words, and whose work it is: in small print."""
    answer = example["chosen"] or wording.explaining.EXAMPLE_HANDOVER
    lesson = wording.explaining.LESSON.format(
        question=cut(clean(example["question"]), 200), answer=cut(clean(answer), 200)
    )
    return ContextBlock(elements=[plain(lesson), ours(_made(example))])


def _made(example: Found) -> str:
    words, flag = wording.explaining, example["flag"]
    names = {
        "likeness": f"{example['likeness']:.0%}",
        "source": _source(example["source"]),
        "approver": who(example["approved_by"] or ""),
    }
    if flag is not None:
        return words.EXAMPLE_FLAG.format(flagger=who(flag["by"]), **names)
    return words.EXAMPLE.format(by=who(example["created_by"]), **names)


def _at(written: str) -> str:
    return moment(datetime.fromisoformat(written))
