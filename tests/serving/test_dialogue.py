"""Recording what a customer asks: a new conversation, one that goes on, and a second try."""

import pytest

from records import conversations
from records.assistant import Assistant
from records.database import Database
from records.messages import Role
from records.tables import Turn
from serving.chat_request import read_request
from serving.dialogue import Dialogue, look_up, open_dialogue, question_entry
from serving.routing import Choice
from serving.turn_log import write_alone
from tests.conftest import install


class Chat:
    """A client that names its conversation."""

    def __init__(self, database: Database, assistant: Assistant) -> None:
        self.database, self.assistant = database, assistant

    def opened(self, text: str) -> Dialogue:
        body = {
            "model": "support",
            "messages": [{"role": "user", "content": text}],
            "metadata": {"conversation_id": "mine"},
        }
        with self.database.read() as session:
            known = look_up(session, assistant="support", key="mine")
        choice = Choice("support-base", None, None)
        return open_dialogue(
            self.assistant, read_request(body, {}), known=known, choose=lambda _unit, _pin: choice
        )

    def ask(self, text: str) -> str:
        dialogue = self.opened(text)
        with self.database.write() as session:
            return write_alone(session, question_entry(dialogue)).conversation_id

    def answer(self, conversation_id: str, text: str, **facts: int) -> None:
        turn = Turn(conversation_id=conversation_id, role=Role.ASSISTANT, content=text, **facts)
        with self.database.write() as session:
            conversations.add_turn(session, turn)

    def said(self, conversation_id: str) -> list[str]:
        with self.database.read() as session:
            return [t.content for t in conversations.history(session, conversation_id)]


@pytest.fixture
def chat(database: Database, assistant: Assistant) -> Chat:
    install(database, assistant)
    return Chat(database, assistant)


def test_a_question_asked_again_before_its_answer_is_kept_once(chat: Chat) -> None:
    first = chat.ask("hi")
    assert chat.ask("hi") == first
    assert chat.said(first) == ["hi"]
    chat.answer(first, "hello")
    assert chat.ask("hi") == first
    assert chat.said(first) == ["hi", "hello", "hi"]


def test_another_question_before_an_answer_is_kept_too(chat: Chat) -> None:
    first = chat.ask("hi")
    chat.ask("are you there?")
    assert chat.said(first) == ["hi", "are you there?"]


def test_the_model_reads_a_repeated_question_once(chat: Chat) -> None:
    chat.ask("hi")
    asked = [m["content"] for m in chat.opened("hi").prompt if m["role"] == "user"]
    assert asked == ["hi"]


def test_history_that_would_leave_no_room_for_an_answer_is_shortened_beforehand(
    chat: Chat,
) -> None:
    longest, answer = chat.assistant.engine.max_model_len, chat.assistant.generation.max_tokens
    conversation = ""
    for number in range(4):
        conversation = chat.ask(f"question {number}")
        chat.answer(conversation, f"answer {number}", prompt_tokens=10, completion_tokens=5)
    assert len(chat.opened("and now?").prompt) == 1 + 8 + 1
    chat.ask("question 4")
    chat.answer(conversation, "answer 4", prompt_tokens=longest - answer, completion_tokens=5)
    shortened = chat.opened("and now?").prompt
    assert len(shortened) == 1 + 5 + 1
    assert shortened[-1]["content"] == "and now?"
