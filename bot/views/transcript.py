"""The messages and files of a transcript: what was said, by whom, and what agents said of it."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import clean, cut, escaped, literal, who
from bot.views.content import Button, Content, buttons, content, moment, said, small
from bot.views.version_names import BY_ID, VersionNames
from records.conversations import is_long
from records.messages import Role
from records.tables import Flag, Turn

_MOST_BLOCKS = 12
"""More than any turn needs that is not long, wherever its lines may be divided."""


def turn_message(turn: Turn, *, flags: Sequence[Flag] = (), names: VersionNames = BY_ID) -> Content:
    """One turn in the transcript; an answer carries what agents said of it and the flag button.

    Of a long one only the beginning is shown: the whole stands in a file after it.
    """
    most = 1 if is_long(turn) else _MOST_BLOCKS
    blocks: list[Block] = [small(_heading(turn, names)), *said(_words(turn), most=most, note=False)]
    if turn.withheld:
        withheld = said(turn.withheld, most=most, note=False)
        blocks += [small(wording.conversations.WITHHELD), *withheld]
    if is_long(turn):
        blocks.append(small(wording.conversations.TURN_IN_FILE))
    if turn.role is Role.ASSISTANT and turn.version is not None:  # the model said it
        label = wording.review.FLAG_ANSWER
        if flags:
            blocks.append(small(*_latest(flags)))
            label = wording.review.REVISE_FLAG
        blocks.append(buttons("answer", Button(label, "flag_answer", turn.id)))
    return content(f"{turn.role.capitalize()}: {escaped(cut(turn.content, 200))}", blocks)


def _heading(turn: Turn, names: VersionNames) -> str:
    details = [
        speaker(turn),
        moment(turn.created_at),
        literal(names.short(turn.version)) if turn.version else "",
        wording.conversations.TURN_STATUSES[turn.status],
    ]
    return " · ".join(part for part in details if part)


def speaker(turn: Turn) -> str:
    """Who said it, in our own mrkdwn."""
    if turn.role is Role.AGENT and turn.author:
        return wording.conversations.SPEAKER_AGENT.format(author=who(turn.author))
    return wording.conversations.SPEAKERS[turn.role]


def _words(turn: Turn) -> str:
    return wording.conversations.TURN_REMOVED if turn.removed_at else turn.content


def _latest(flags: Sequence[Flag]) -> list[str]:
    """Each agent's last word on the answer."""
    by_agent = {flag.agent: flag for flag in flags}
    return [_flag(flag) for flag in list(by_agent.values())[-5:]]


def _flag(flag: Flag) -> str:
    by, words = who(flag.agent), wording.review
    flagged = words.FLAGGED.format(who=by)
    if flag.reason:
        reason = words.FLAG_REASONS[flag.reason].lower()
        flagged = words.FLAGGED_BECAUSE.format(who=by, reason=reason)
    if not flag.note:
        return flagged
    return words.FLAG_NOTE.format(flagged=flagged, note=literal(flag.note, 200))


def transcript_text(turns: Sequence[Turn]) -> str:
    """Turns as a plain file, oldest first."""
    return "\n\n".join(map(_turn_text, turns)) + "\n"


def _turn_text(turn: Turn) -> str:
    at = f"{turn.created_at:%Y-%m-%d %H:%M} UTC"
    author = f" {turn.author}" if turn.author else ""
    name = wording.conversations.SPEAKERS_PLAIN[turn.role]
    parts = [f"[{at}] {name}{author}", clean(_words(turn))]
    if turn.withheld:
        parts += [wording.conversations.WITHHELD, clean(turn.withheld)]
    return "\n".join(parts)
