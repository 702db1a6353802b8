"""Why an approved example is in review again, with the example that speaks against it."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import literal, who
from bot.views.content import Button, buttons, line, small
from bot.views.marked import marked
from records.doubts import Doubted
from records.examples import fingerprint
from records.review import question_of
from records.states import DoubtKind, ExampleState
from records.tables import Example

_LONGEST = 700
_QUESTION = 200


def doubt_blocks(doubts: Sequence[Doubted], *, handoff_sentence: str) -> list[Block]:
    """What was doubted, each with the other's question and answer; at most five blocks each."""
    blocks: list[Block] = []
    for one in doubts:
        blocks.append(line(wording.review.DOUBTED[one.doubt.kind]))
        if one.other is not None:
            blocks += _against(one.other, handoff_sentence)
    return blocks


def doubts_in_home(
    example: Example, doubts: Sequence[Doubted], *, handoff_sentence: str, may_approve: bool
) -> list[Block]:
    """The same with a button that settles a contradiction: this one is right, the other wrong."""
    blocks = doubt_blocks(doubts, handoff_sentence=handoff_sentence)
    waiting = [one.other for one in doubts if _is_between(one)]
    if may_approve and waiting and waiting[0] is not None:
        blocks.append(buttons("doubt", _settling(example, waiting[0]), _showing(waiting[0])))
    return blocks


def _is_between(one: Doubted) -> bool:
    """Whether both that contradict each other wait, so that one press can decide on both."""
    waits = one.other is not None and one.other.state is ExampleState.PROPOSED
    return waits and one.doubt.kind is DoubtKind.CONTRADICTION


def _against(other: Example, handoff_sentence: str) -> list[Block]:
    words = wording.review
    asked = words.DOUBT_QUESTION.format(question=literal(question_of(other), _QUESTION))
    state = words.OUTCOMES_IN_SHORT[other.state].format(who=who(other.decided_by or "–"))
    answered = words.DOUBT_HANDOVER if other.should_escalate else words.DOUBT_ANSWER
    return [
        line(asked),
        small(answered.format(state=state)),
        *marked(other.chosen or handoff_sentence, most=1, longest=_LONGEST),
    ]


def _settling(example: Example, other: Example) -> Button:
    seen = f"{example.id} {fingerprint(example)} {other.id} {fingerprint(other)}"
    words = wording.home
    return Button(words.SETTLE, "review_settle", seen, question=words.SETTLE_QUESTION)


def _showing(other: Example) -> Button:
    return Button(wording.home.SHOW_OTHER, "review_show", other.id)
