"""Why an answer is what it is: answer → version → dataset → example → flag → who."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import literal, who
from bot.views.content import Content, content, line, moment, probability, said, small, took
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
_MOST_EXAMPLES = 5

Found = Mapping[str, Any]


def explanation(found: Found) -> Content:
    """What `records.lineage.explain` found."""
    blocks = [
        line(wording.explaining.TITLE),
        *_turn(found["turn"]),
        *_escalation(found["escalation"]),
        *[line(_flag(flag)) for flag in found["flags"][-_MOST_FLAGS:]],
        *_version(found["version"]),
        *_dataset(found["dataset"], has_version=found["version"] is not None),
        small(literal(found["turn"]["id"]), literal(found["turn"]["conversation_id"])),
    ]
    return content(wording.explaining.FALLBACK, blocks)


def _turn(turn: Found) -> list[Block]:
    words = wording.explaining
    asked = [line(words.ASKED), *said(turn["asked"], most=1)] if turn["asked"] else []
    answered = words.ANSWERED.format(at=_at(turn["at"]))
    return [
        *asked,
        line(answered),
        *said(turn["answered"], most=2),
        line(f"{_by(turn)}\n{_took(turn)}"),
    ]


def _by(turn: Found) -> str:
    words = wording.explaining
    if not turn["version"]:
        return words.BY_NOBODY
    if turn["arm"]:
        return words.BY_ARM.format(
            version=literal(turn["version"]),
            arm=literal(turn["arm"]),
            experiment=literal(turn["experiment"] or ""),
        )
    return words.BY_VERSION.format(version=literal(turn["version"]))


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


def _version(version: Found | None) -> list[Block]:
    if version is None:
        return []
    words = wording.explaining.VERSION if version["parent"] else wording.explaining.VERSION_BARE
    verdict = version["verdict"]
    sentence = words.format(
        version=literal(version["id"]),
        state=wording.releases.VERSION_STATES[VersionState(version["state"])],
        verdict=wording.releases.VERDICTS[Verdict(verdict)]
        if verdict
        else wording.releases.NO_VERDICT,
        parent=literal(version["parent"] or ""),
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


def _dataset(dataset: Found | None, *, has_version: bool) -> list[Block]:
    words = wording.explaining
    if dataset is None:
        return [line(words.NO_DATASET)] if has_version else []
    counts = [
        words.SOURCE_COUNT.format(count=f"{count:,}", source=_source(source))
        for source, count in dataset["examples_by_source"].items()
    ]
    title = words.DATASET.format(dataset=literal(dataset["id"]), counts=", ".join(counts))
    return [line(title), *_nearest(dataset["nearest_examples"])]


def _source(source: str) -> str:
    return wording.review.SOURCES[ExampleSource(source)]


def _nearest(examples: Sequence[Found]) -> list[Block]:
    if not examples:
        return [line(wording.explaining.NO_NEAREST)]
    blocks: list[Block] = [line(wording.explaining.NEAREST)]
    for example in examples[:_MOST_EXAMPLES]:
        blocks += [*said(_lesson(example), most=1, note=False), small(_made(example))]
    return blocks


def _lesson(example: Found) -> str:
    """What an example teaches, in somebody's words: the question, and the right answer."""
    answer = example["chosen"] or wording.explaining.EXAMPLE_HANDOVER
    return wording.explaining.LESSON.format(question=example["question"][:300], answer=answer[:300])


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
