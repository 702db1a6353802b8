"""The card of a proposed example: before, after, and the choice."""

from collections.abc import Sequence

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    DividerBlock,
    InteractiveElement,
)

from bot import wording
from bot.text import escaped, literal, who
from bot.views.content import Button, Content, content, line, moment, small
from bot.views.doubted import doubt_blocks
from bot.views.marked import marked
from bot.views.rejecting import reject_select
from records.doubts import Doubted
from records.examples import fingerprint
from records.review import question_of
from records.states import ExampleState
from records.tables import Example


def example_card(
    example: Example,
    *,
    handoff_sentence: str,
    four_eyes: bool = False,
    doubts: Sequence[Doubted] = (),
) -> Content:
    """What would be learned: the question, the answer given, the right one, and what is doubted."""
    source = wording.review.SOURCES[example.source]
    title = wording.review.EXAMPLE_TITLE.format(source=source, who=who(example.created_by))
    blocks: list[Block] = [
        line(title),
        small(wording.review.QUESTION),
        *marked(question_of(example), most=1),
    ]
    if example.rejected is not None:
        blocks += [small(wording.review.BEFORE), *marked(example.rejected)]
    after = wording.review.AFTER_HANDOVER if example.should_escalate else wording.review.AFTER
    blocks += [small(after), *marked(example.chosen or handoff_sentence), DividerBlock()]
    if example.state is not ExampleState.PROPOSED:
        blocks.append(line(outcome_of(example)))
    else:
        blocks += doubt_blocks(doubts, handoff_sentence=handoff_sentence)
        blocks += [*_eyes(example, four_eyes=four_eyes), _choices(example, four_eyes=four_eyes)]
    return content(escaped(wording.review.EXAMPLE_FALLBACK.format(source=source)), blocks)


def outcome_of(example: Example) -> str:
    """What became of an example, by whom and when."""
    words = wording.review.OUTCOMES[example.state]
    why = ""
    if example.state is ExampleState.REJECTED and example.decision_note:
        words, why = wording.review.REJECTED_WHY, why_rejected(example.decision_note)
    at = moment(example.decided_at) if example.decided_at else "–"
    return words.format(who=who(example.decided_by or "–"), at=at, why=why)


def why_rejected(note: str) -> str:
    """Why an example was rejected, in words: one of the fixed reasons, or a reviewer's own."""
    fixed = {str(reason): words for reason, words in wording.review.REJECT_REASONS.items()}
    return fixed.get(note) or literal(note, 300)


def _eyes(example: Example, *, four_eyes: bool) -> list[Block]:
    """Who can't approve it, where four eyes are wanted: the card is the same for everybody."""
    if not four_eyes:
        return []
    names = {"who": who(example.created_by), "editor": who(example.edited_by or "")}
    others = example.edited_by not in (None, example.created_by)
    words = wording.review.OTHER_EYES_TWO if others else wording.review.OTHER_EYES
    return [small(words.format(**names))]


def _choices(example: Example, *, four_eyes: bool) -> Block:
    seen = f"{example.id} {fingerprint(example)}"
    offered: list[InteractiveElement] = [
        Button(wording.review.APPROVE, "approve_example", seen, style="primary").element
    ]
    if not example.should_escalate and not four_eyes:  # it would be an edit
        handover = Button(wording.review.APPROVE_HANDOVER, "approve_handover", seen)
        offered.append(handover.element)
    offered.append(reject_select("reject_example", example.id))
    return ActionsBlock(block_id="example", elements=offered)
