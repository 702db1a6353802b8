"""An escalation's card and the messages of its transcript."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block, HeaderBlock, PlainTextObject

from bot import wording
from bot.text import cut, escaped, literal, who
from bot.views.content import Button, Content, buttons, content, duration, line, moment, said, small
from records.messages import Role
from records.states import EscalationState, TurnStatus
from records.tables import Conversation, Escalation, Flag, Turn

_SPEAKERS = {
    Role.CUSTOMER: ":bust_in_silhouette: *Customer*",
    Role.ASSISTANT: ":robot_face: *Assistant*",
    Role.AGENT: ":speech_balloon: *Agent*",
}
_STATUS = {
    TurnStatus.COMPLETE: "",
    TurnStatus.FALLBACK: "fixed sentence",
    TurnStatus.INTERRUPTED: "interrupted",
    TurnStatus.ABANDONED: "customer left",
}


def escalation_card(
    escalation: Escalation, conversation: Conversation, *, question: str, version: str | None
) -> Content:
    """The card in the channel; `question` is what the customer last asked before it."""
    customer = literal(conversation.customer, 80) if conversation.customer else "unknown"
    asked = wording.conversations.REASONS[escalation.reason]
    facts = [
        f"*Customer:* {customer}",
        f"*Reason:* {asked} – {literal(escalation.cause, 300)}",
        f"*Version:* {literal(version) if version else '–'}",
    ]
    title = f"Escalation: {conversation.assistant}"
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=cut(title, 150))),
        line("\n".join(facts)),
        *said(question, most=1),
        line(_state(escalation)),
        small(f"Since {moment(escalation.opened_at)}", f"{escalation.id}"),
        *_choices(escalation),
    ]
    return content(escaped(f"{title}: {asked}"), blocks)


def _state(escalation: Escalation) -> str:
    owner = who(escalation.owner) if escalation.owner else ""
    spent = 0.0
    if escalation.resolved_at is not None:
        begun = escalation.taken_at or escalation.opened_at
        spent = (escalation.resolved_at - begun).total_seconds()
    return wording.conversations.STATES[escalation.state].format(
        owner=owner, duration=duration(spent)
    )


def _choices(escalation: Escalation) -> list[Block]:
    take = Button(wording.conversations.TAKE_OVER, "take_over", escalation.id, style="primary")
    resolve = Button(wording.conversations.RESOLVE, "resolve", escalation.id)
    if escalation.state is EscalationState.WAITING:
        return [buttons("escalation", take, resolve)]
    if escalation.state is EscalationState.TAKEN:
        return [buttons("escalation", resolve)]
    return []


def turn_message(turn: Turn, *, flags: Sequence[Flag] = ()) -> Content:
    """One turn in the transcript; an answer carries what agents said of it and the flag button."""
    blocks: list[Block] = [small(_heading(turn)), *said(turn.content)]
    if turn.withheld:
        blocks += [small(wording.conversations.WITHHELD), *said(turn.withheld)]
    if turn.role is Role.ASSISTANT and turn.version is not None:  # the model said it
        label = wording.review.FLAG_ANSWER
        if flags:
            blocks.append(small(*_latest(flags)))
            label = wording.review.REVISE_FLAG
        blocks.append(buttons("answer", Button(label, "flag_answer", turn.id)))
    return content(f"{turn.role.capitalize()}: {escaped(cut(turn.content, 200))}", blocks)


def _heading(turn: Turn) -> str:
    author = f" {who(turn.author)}" if turn.author else ""
    details = [
        f"{_SPEAKERS[turn.role]}{author}",
        moment(turn.created_at),
        literal(turn.version) if turn.version else "",
        _STATUS[turn.status],
    ]
    return " · ".join(part for part in details if part)


def _latest(flags: Sequence[Flag]) -> list[str]:
    """Each agent's last word on the answer."""
    by_agent = {flag.agent: flag for flag in flags}
    return [_flag(flag) for flag in list(by_agent.values())[-5:]]


def _flag(flag: Flag) -> str:
    reason = f": {wording.review.FLAG_REASONS[flag.reason].lower()}" if flag.reason else ""
    note = f" – {literal(flag.note, 200)}" if flag.note else ""
    return f":triangular_flag_on_post: Flagged by {who(flag.agent)}{reason}{note}"
