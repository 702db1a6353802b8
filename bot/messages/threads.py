"""What the bot says in an escalation's thread about who has it or should take it over."""

from collections.abc import Callable, Mapping

from bot.messages.area import Telling, card_of, posted
from bot.outbox.rendered import Nothing, Rendered
from bot.views.content import Content
from bot.views.thread_notes import asked_note, on_call_note, passed_note, reminder_note
from records import escalations, reminders
from records.outbox import Kind
from records.states import EscalationState
from records.tables import Escalation


def render_note(tell: Telling) -> Rendered:
    """The note under the card; nothing where it is no longer true."""
    escalation = escalations.get(tell.session, tell.row.subject)
    card = card_of(tell.session, escalation.id)
    if card is None:
        return Nothing("the card of its thread was never sent")
    made = NOTES[Kind(tell.row.kind)](tell, escalation)
    return made if isinstance(made, Nothing) else posted(tell, made, under=card)


def _asked(tell: Telling, escalation: Escalation) -> Content | Nothing:
    assignee, by = tell.row.payload["assignee"], tell.row.payload["by"]
    if escalation.assignee != assignee:
        return Nothing("somebody else was asked since, or it was taken over")
    return asked_note(assignee=assignee, by=by, is_owner=escalation.owner == by)


def _passed(tell: Telling, _: Escalation) -> Content | Nothing:
    return passed_note(owner=tell.row.payload["owner"], former=tell.row.payload["former"])


def _reminder(_: Telling, escalation: Escalation) -> Content | Nothing:
    if escalation.state is not EscalationState.WAITING:
        return Nothing("somebody has taken it over")
    return reminder_note(opened_at=escalation.opened_at, assignee=escalation.assignee)


def _on_call(tell: Telling, escalation: Escalation) -> Content | Nothing:
    conversation = escalation.conversation
    on_call = tell.desk.assistant(conversation.assistant).slack.on_call
    if "told_in" in tell.row.payload:
        return Nothing("those on call are told of it in another thread")
    waits = escalation.state is EscalationState.WAITING
    others = reminders.told_in(tell.session, escalation.id)
    if not on_call or not (waits or others):
        return Nothing("all were taken over, or nobody is on call any more")
    since = escalation.opened_at if waits else None
    return on_call_note(on_call=on_call, since=since, others=others)


NOTES: Mapping[Kind, Callable[[Telling, Escalation], Content | Nothing]] = {
    Kind.ESCALATION_ASSIGNED: _asked,
    Kind.ESCALATION_PASSED: _passed,
    Kind.ESCALATION_REMINDER: _reminder,
    Kind.ESCALATION_ON_CALL: _on_call,
}
