"""The card of a proposed example: before, after, and the choice."""

from slack_sdk.models.blocks import Block, DividerBlock

from bot import wording
from bot.text import escaped, who
from bot.views.content import Button, Content, buttons, content, line, moment, said, small
from records.states import ExampleState
from records.tables import Example


def example_card(example: Example, *, handoff_sentence: str) -> Content:
    """What would be learned: the question, the answer given, the right one."""
    question = str(example.prompt[-1]["content"]) if example.prompt else ""
    source = wording.review.SOURCES[example.source]
    title = f"*Example from {source}*, by {who(example.created_by)}"
    blocks: list[Block] = [line(title), small("*Question*"), *said(question, most=1)]
    if example.rejected is not None:
        blocks += [small(":heavy_minus_sign: *Before*"), *said(example.rejected, most=2)]
    blocks += [small(_after(example)), *said(example.chosen or handoff_sentence, most=2)]
    blocks += [DividerBlock(), *_choices(example)]
    return content(escaped(f"An example from {source} waits for approval"), blocks)


def _after(example: Example) -> str:
    hands_over = ", *handing over to a person*" if example.should_escalate else ""
    return f":heavy_plus_sign: *After*{hands_over}"


def _choices(example: Example) -> list[Block]:
    if example.state is ExampleState.PROPOSED:
        offered = [
            Button(wording.review.APPROVE, "approve_example", example.id, style="primary"),
            Button(wording.review.REJECT, "reject_example", example.id, style="danger"),
        ]
        if not example.should_escalate:
            offered.insert(
                1, Button(wording.review.APPROVE_HANDOVER, "approve_handover", example.id)
            )
        return [buttons("example", *offered)]
    return [line(_outcome(example))]


def _outcome(example: Example) -> str:
    if example.state is ExampleState.SUPERSEDED:
        return ":arrows_counterclockwise: Replaced by a later flag"
    mark = ":white_check_mark:" if example.state is ExampleState.APPROVED else ":x:"
    by = f" by {who(example.decided_by)}" if example.decided_by else ""
    at = f", {moment(example.decided_at)}" if example.decided_at else ""
    return f"{mark} {example.state.capitalize()}{by}{at}"
