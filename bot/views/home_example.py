"""The example at hand in App Home: what was asked, what changes, and the choice."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, InteractiveElement, SectionBlock

from bot import wording
from bot.text import cut, literal, who
from bot.views.content import Button, line, moment, ours, small
from bot.views.doubted import doubts_in_home
from bot.views.example import outcome_of
from bot.views.marked import changes, kinds_found, marked
from bot.views.rejecting import reject_select
from bot.workspaces.addresses import link_to
from records.doubts import Doubted
from records.examples import fingerprint
from records.review import question_of, teaches_the_same
from records.states import ExampleState
from records.tables import Example, Flag

_EARLIER_TURNS = 2
_EARLIER = 160
_SHORT = 120


@dataclass(frozen=True, slots=True)
class ExampleShown:
    """An example, its flag, and others that ask nearly the same."""

    example: Example
    flag: Flag | None
    place: int
    number: int
    near: Sequence[Example]
    handoff_sentence: str
    reviewer: str
    own: frozenset[str]
    """Ids of those that the reviewer may not approve: four eyes are wanted, and they wrote them."""
    can_go_back: bool
    thread: tuple[str, str] | None = None
    """Channel and `ts` of the thread in which the conversation can be read."""
    address: str = ""
    """The workspace's."""
    doubts: Sequence[Doubted] = ()
    """Why it was taken out of training, where it was approved before."""

    @property
    def may_approve(self) -> bool:
        """Whether the reviewer may approve it now."""
        waits = self.example.state is ExampleState.PROPOSED
        return waits and self.example.id not in self.own

    @property
    def agreeing(self) -> list[Example]:
        """Those that ask nearly the same and have the same right answer."""
        return [other for other in self.near if teaches_the_same(other, self.example)]

    @property
    def to_approve_together(self) -> list[Example]:
        """The example with its like, where all agree and the reviewer may approve them."""
        agreeing = self.agreeing
        if not agreeing or len(agreeing) < len(self.near) or not self.may_approve:
            return []
        return [self.example, *(other for other in agreeing if other.id not in self.own)]


def example_blocks(shown: ExampleShown) -> list[Block]:
    """The example with its choices, then those that ask nearly the same."""
    return [
        small(_place(shown), thread_link(shown.thread, shown.address)),
        *_title(shown),
        *_earlier(shown.example),
        small(wording.review.QUESTION),
        *marked(question_of(shown.example), most=1),
        *_before_and_after(shown),
        *_personal_data(shown.example),
        *doubts_in_home(
            shown.example,
            shown.doubts,
            handoff_sentence=shown.handoff_sentence,
            may_approve=shown.may_approve,
        ),
        *_choices(shown),
        *_near(shown),
    ]


def thread_link(thread: tuple[str, str] | None, address: str) -> str:
    """Where the conversation can be read; empty where it has no thread."""
    return link_to(address, *thread, label=wording.home.THREAD) if thread else ""


def _place(shown: ExampleShown) -> str:
    example = shown.example
    waits = example.state is ExampleState.PROPOSED
    words = wording.home.PLACE if waits else wording.home.DECIDED_BEFORE
    return words.format(
        place=f"{shown.place:,}",
        number=f"{shown.number:,}",
        assistant=literal(example.assistant),
        at=moment(example.created_at),
    )


def _title(shown: ExampleShown) -> list[Block]:
    example = shown.example
    source = wording.review.SOURCES[example.source]
    title = wording.review.EXAMPLE_TITLE.format(source=source, who=who(example.created_by))
    said = [line(title)]
    details = []
    if shown.flag is not None and shown.flag.reason is not None:
        details.append(wording.review.FLAG_REASONS[shown.flag.reason])
    if shown.flag is not None and shown.flag.note:
        details.append(literal(shown.flag.note, 300))
    if example.edited_by:
        details.append(wording.review.EXAMPLE_EDITED.format(who=who(example.edited_by)))
    return [*said, small(*details)] if details else said


def _earlier(example: Example) -> list[Block]:
    """The last turns before the question, in short; all of them are a press away."""
    before = example.prompt[:-1]
    if not before:
        return []
    lines = [
        f"{wording.conversations.SPEAKERS[message['role']]}: "
        f"{literal(str(message['content']), _EARLIER)}"
        for message in before[-_EARLIER_TURNS:]
    ]
    button = Button(wording.home.CONVERSATION, "review_conversation", example.id)
    told = ours("\n".join([wording.home.EARLIER, *lines]))
    return [SectionBlock(text=told, accessory=button.element)]


def _before_and_after(shown: ExampleShown) -> list[Block]:
    example, words = shown.example, wording.home
    after = example.chosen or shown.handoff_sentence
    if example.rejected is None:
        title = words.NOTHING_BEFORE_HANDOVER if example.should_escalate else words.NOTHING_BEFORE
        return [small(title), *marked(after)]
    together = changes(example.rejected, after)
    if together is not None:
        title = words.CHANGES_HANDOVER if example.should_escalate else words.CHANGES
        return [small(title), *together]
    title = wording.review.AFTER_HANDOVER if example.should_escalate else wording.review.AFTER
    return [
        small(wording.review.BEFORE),
        *marked(example.rejected),
        small(title),
        *marked(after),
    ]


def _personal_data(example: Example) -> list[Block]:
    kinds = kinds_found(question_of(example), example.rejected or "", example.chosen)
    if not kinds:
        return []
    named = ", ".join(wording.review.PERSONAL_DATA[kind] for kind in kinds)
    return [line(wording.home.PERSONAL_DATA.format(kinds=named))]


def _choices(shown: ExampleShown) -> list[Block]:
    example, waits = shown.example, shown.example.state is ExampleState.PROPOSED
    blocks: list[Block] = []
    if not waits:
        blocks.append(line(outcome_of(example)))
    elif not shown.may_approve:
        blocks.append(line(wording.home.YOUR_OWN))
    pressed = _deciding(shown) if waits else _looking(shown)
    if shown.can_go_back:
        pressed.append(Button(wording.home.BACK, "review_back", example.id).element)
    return [*blocks, ActionsBlock(block_id="example", elements=pressed)]


def _deciding(shown: ExampleShown) -> list[InteractiveElement]:
    example_id = shown.example.id
    seen = f"{example_id} {fingerprint(shown.example)}"
    approve = Button(wording.review.APPROVE, "review_approve", seen, style="primary")
    return [
        *([approve.element] if shown.may_approve else []),
        Button(wording.home.EDIT, "review_edit", example_id).element,
        reject_select("review_reject", example_id),
        Button(wording.home.SKIP, "review_skip", example_id).element,
    ]


def _looking(shown: ExampleShown) -> list[InteractiveElement]:
    example = shown.example
    decided = example.state in (ExampleState.APPROVED, ExampleState.REJECTED)
    undo = Button(wording.home.UNDO, "review_undo", example.id)
    return [
        *([undo.element] if decided and example.decided_by == shown.reviewer else []),
        Button(wording.home.NEXT, "review_skip", example.id).element,
    ]


def _near(shown: ExampleShown) -> list[Block]:
    doubted = {one.other.id for one in shown.doubts if one.other is not None}
    near = [other for other in shown.near if other.id not in doubted]  # those are shown already
    if not near:
        return []
    agree = len(shown.agreeing) == len(shown.near)
    blocks: list[Block] = [
        line(wording.home.NEAR_AGREEING if agree else wording.home.NEAR_DIFFERING),
        *(_like(shown, other) for other in near),
    ]
    together = shown.to_approve_together
    if len(together) > 1:
        blocks.append(ActionsBlock(block_id="near", elements=[_approve_all(together)]))
    return blocks


def _like(shown: ExampleShown, other: Example) -> Block:
    answer = literal(other.chosen or shown.handoff_sentence, _SHORT)
    if other.should_escalate and not shown.example.should_escalate:
        answer = wording.home.NEAR_HANDOVER
    same = teaches_the_same(other, shown.example)
    told = wording.home.NEAR_AGREES if same else wording.home.NEAR_DIFFERS.format(answer=answer)
    words = wording.home.NEAR.format(question=literal(question_of(other), _SHORT), answer=told)
    button = Button(wording.home.SHOW, "review_show", other.id)
    return SectionBlock(text=ours(words), accessory=button.element)


def _approve_all(together: Sequence[Example]) -> InteractiveElement:
    answer = " ".join(cut(together[0].chosen, _SHORT).split())
    number = f"{len(together)}"
    return Button(
        wording.home.APPROVE_ALL.format(number=number),
        "review_approve_all",
        " ".join([fingerprint(together[0]), *(example.id for example in together)]),
        question=wording.home.APPROVE_ALL_QUESTION.format(number=number, answer=answer),
    ).element
