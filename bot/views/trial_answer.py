"""An answer that an agent tried in Slack: its words, remarks, facts and buttons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextActionsBlock,
    FeedbackButtonObject,
    FeedbackButtonsElement,
    PlainTextObject,
)

from bot import wording
from bot.asking.spoken_answer import confidence
from bot.text import clean, cut, escaped, literal, who
from bot.views.content import (
    Button,
    Content,
    buttons,
    content,
    line,
    probability,
    said,
    small,
    took,
)
from bot.views.version_names import BY_ID, VersionNames
from records.tables import Flag, Turn


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """An answer on trial, and what is known of it."""

    turn: Turn
    number: int | None = None
    """Which of two answers it is, counted from 1."""
    blind: bool = False
    """Whether its version is not told yet."""
    least: float | None = None
    """The least mean probability with which a customer would get it."""
    flags: Sequence[Flag] = ()
    """Those that stand: each agent's last word."""
    liked_by: Sequence[str] = ()
    is_draft: bool = False
    sent_by: str | None = None
    """Who sent the draft to the customer."""
    sent_words: str | None = None
    """What was sent, where it was edited before."""
    names: VersionNames = BY_ID
    has_rules: bool = False
    """Whether phrases or rules of the assistant's file hand customers over without its answer."""


def answer_message(shown: AnswerShown) -> Content:
    """The whole message: what was said, and below it what `answer_end` shows."""
    above = heading(number=shown.number, is_draft=shown.is_draft and not shown.sent_by)
    blocks: list[Block] = [small(f"*{above}*")] if above else []
    if shown.turn.content.strip():
        blocks += said(shown.turn.content)
    if shown.sent_by and shown.sent_words is not None:
        edited = wording.asking.DRAFT_SENT_EDITED.format(who=who(shown.sent_by))
        blocks += [small(edited), *said(shown.sent_words)]
    short = escaped(cut(clean(shown.turn.content), 200))
    words = content(short, blocks)
    return Content(words.text, [*words.blocks, *answer_end(shown)])


def heading(*, number: int | None, is_draft: bool) -> str:
    """What stands above the answer: which of two it is, and whether it is a draft."""
    title = wording.asking.TITLE.format(number=number) if number else ""
    return " · ".join(part for part in (wording.asking.DRAFT if is_draft else "", title) if part)


def answer_end(shown: AnswerShown) -> list[dict[str, Any]]:
    """The blocks below the words: remarks, facts, what colleagues said, and what can be done."""
    turn = shown.turn
    notes = [*_remarks(shown), *_said_of(shown)]
    blocks: list[Block] = []
    if not turn.content.strip():
        blocks.append(line(wording.asking.EMPTY_ANSWER))
    if notes:
        blocks.append(small(*notes))
    blocks.append(small(_facts(shown), _uncounted(shown)))
    if not shown.flags and not shown.liked_by:
        blocks.append(_feedback(turn))
    blocks.append(buttons("answer", *_choices(shown)))
    return [block.to_dict() for block in blocks]


def _uncounted(shown: AnswerShown) -> str:
    """In what it differs from an answer to a customer."""
    if shown.is_draft:
        return ""
    return wording.asking.UNCOUNTED_UNRULED if shown.has_rules else wording.asking.UNCOUNTED


def _remarks(shown: AnswerShown) -> list[str]:
    turn, words = shown.turn, wording.asking
    sure = confidence(turn.mean_logprob)
    remarks = []
    if turn.handed_over:
        remarks.append(words.HANDED_OVER)
    elif shown.least is not None and (sure is None or sure < shown.least):
        known = words.UNKNOWN if sure is None else probability(sure)
        remarks.append(words.UNSURE.format(confidence=known, least=probability(shown.least)))
    if turn.finish_reason == "length":
        remarks.append(words.CUT_SHORT)
    return remarks


def _said_of(shown: AnswerShown) -> list[str]:
    lines = [_flag(flag) for flag in shown.flags[-4:]]
    lines += [wording.asking.LIKED.format(who=who(user)) for user in shown.liked_by[:3]]
    if shown.sent_by and shown.sent_words is None:
        lines.append(wording.asking.DRAFT_SENT.format(who=who(shown.sent_by)))
    return lines


def _flag(flag: Flag) -> str:
    if flag.reason is None:
        return wording.asking.FLAGGED.format(who=who(flag.agent))
    reason = wording.review.FLAG_REASONS[flag.reason].lower()
    return wording.asking.FLAGGED_FOR.format(who=who(flag.agent), reason=reason)


def _facts(shown: AnswerShown) -> str:
    turn, words = shown.turn, wording.asking
    passed = took(turn.duration_ms)
    if shown.blind:
        return words.FACTS_BLIND.format(duration=passed)
    version = literal(shown.names.first(turn.version or ""))
    sure = confidence(turn.mean_logprob)
    if sure is None:
        return words.FACTS.format(version=version, duration=passed)
    return words.FACTS_SURE.format(version=version, duration=passed, confidence=probability(sure))


def _feedback(turn: Turn) -> Block:
    def button(label: str, value: str) -> FeedbackButtonObject:
        return FeedbackButtonObject(
            text=PlainTextObject(text=label), accessibility_label=label, value=f"{value}:{turn.id}"
        )

    return ContextActionsBlock(
        block_id=f"feedback_{turn.id}",
        elements=[
            FeedbackButtonsElement(
                action_id="rate_answer",
                positive_button=button(wording.asking.GOOD, "good"),
                negative_button=button(wording.asking.BAD, "bad"),
            )
        ],
    )


def _choices(shown: AnswerShown) -> list[Button]:
    label = wording.review.REVISE_FLAG if shown.flags else wording.review.FLAG_ANSWER
    flag = Button(label, "flag_answer", shown.turn.id)
    return [*_sending(shown), flag] if is_to_send(shown) else [flag]


def is_to_send(shown: AnswerShown) -> bool:
    """Whether it is a draft with words for a customer: a hand-over's are said by nobody."""
    turn = shown.turn
    has_words = bool(turn.content.strip()) and not turn.handed_over
    return shown.is_draft and not shown.sent_by and has_words


def _sending(shown: AnswerShown) -> list[Button]:
    return [
        Button(
            wording.asking.SEND_DRAFT,
            "send_draft",
            shown.turn.id,
            style="primary",
            question=wording.asking.SEND_DRAFT_QUESTION,
        ),
        Button(wording.asking.EDIT_DRAFT, "edit_draft", shown.turn.id),
    ]
