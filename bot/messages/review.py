"""Messages about examples that wait for a person's word, and about flags that were fixed."""

from bot.messages.area import Area, Telling, latest_card, posted
from bot.outbox.rendered import Nothing, Post, Rendered
from bot.releases.naming import names_of
from bot.views.content import Content
from bot.views.example import example_card
from bot.views.receipt import fixed_message, imported_message
from records import conversations, doubts, examples, fixes, flags, versions
from records.outbox import Kind
from records.states import OutboxState


def _example(tell: Telling) -> Content:
    example = examples.get(tell.session, tell.row.subject)
    assistant = tell.desk.assistant(example.assistant)
    return example_card(
        example,
        handoff_sentence=assistant.handoff_sentence,
        four_eyes=assistant.slack.four_eyes,
        doubts=doubts.of_waiting(tell.session, example),
    )


def _beside_its_conversation(tell: Telling) -> Rendered:
    """The card in its conversation's thread, unless examples wait in App Home only."""
    example = examples.get(tell.session, tell.row.subject)
    if not tell.desk.assistant(example.assistant).slack.example_cards:
        return Nothing("examples of this assistant wait in App Home only")
    conversation = example.conversation_id
    if conversation and conversations.get(tell.session, conversation).trial:
        return Nothing("the example of a trial waits in App Home")
    return posted(tell, _example(tell), under=latest_card(tell.session, conversation))


def _imported(tell: Telling) -> Content:
    return imported_message(int(tell.row.payload["number"]))


def _fixed(tell: Telling) -> Content:
    flag = flags.get(tell.session, tell.row.subject)
    fix = fixes.get(tell.session, flag.id, version=str(tell.row.payload["version"]))
    turn = conversations.turn(tell.session, flag.turn_id)
    assistant = conversations.get(tell.session, turn.conversation_id).assistant
    names = names_of(tell.session, assistant)
    return fixed_message(flag, fix, answer=turn.models_words, names=names)


def _serves(tell: Telling, version: str) -> bool:
    release = versions.pointer(tell.session, versions.get(tell.session, version).assistant)
    return release is not None and release.version == version


def _in_the_flags_thread(tell: Telling) -> Rendered:
    """The receipt where the answer was flagged, or else in its conversation's thread.

    It says that a version serves customers, so that must be true; one whose sending was begun is
    looked for in any case.
    """
    flag = flags.get(tell.session, tell.row.subject)
    begun = tell.row.state is OutboxState.SENDING
    if not begun and not _serves(tell, str(tell.row.payload["version"])):
        return Nothing("the version that fixed it serves nobody now")
    if not begun and fixes.is_told(tell.session, flag.id):
        return Nothing("the flag's thread was told already")
    if flag.channel and flag.thread_ts:
        return Post(flag.channel, _fixed(tell), thread_ts=flag.thread_ts)
    turn = conversations.turn(tell.session, flag.turn_id)
    return posted(tell, _fixed(tell), under=latest_card(tell.session, turn.conversation_id))


AREA = Area(
    contents={
        Kind.EXAMPLE_PROPOSED: _example,
        Kind.EXAMPLES_IMPORTED: _imported,
        Kind.FLAG_FIXED: _fixed,
    },
    renders={
        Kind.EXAMPLE_PROPOSED: _beside_its_conversation,
        Kind.FLAG_FIXED: _in_the_flags_thread,
    },
)
