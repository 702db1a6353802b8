"""Messages about examples that wait for a person's word."""

from bot.messages.area import Area, Telling, latest_card, posted
from bot.rendered import Rendered
from bot.views.content import Content
from bot.views.example import example_card
from records import learning
from records.outbox import Kind


def _example(tell: Telling) -> Content:
    example = learning.get_example(tell.session, tell.row.subject)
    assistant = tell.desk.assistant(example.assistant)
    return example_card(example, handoff_sentence=assistant.handoff_sentence)


def _beside_its_conversation(tell: Telling) -> Rendered:
    example = learning.get_example(tell.session, tell.row.subject)
    card = latest_card(tell.session, example.conversation_id)
    return posted(tell, _example(tell), under=card)


AREA = Area(
    contents={Kind.EXAMPLE_PROPOSED: _example},
    renders={Kind.EXAMPLE_PROPOSED: _beside_its_conversation},
)
