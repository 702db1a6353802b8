"""What of an engine's answer is said and recorded."""

from records.assistant import Assistant
from records.states import TurnStatus
from serving.chat_request import read_request
from serving.dialogue import Dialogue
from serving.draft import Draft
from serving.routing import Choice


def draft(assistant: Assistant) -> Draft:
    body = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}
    choice = Choice("support-base", None, None)
    return Draft(Dialogue(assistant, read_request(body, {}), "conv_1", choice))


def whole(text: str) -> dict[str, object]:
    return {"message": {"content": text}, "finish_reason": "stop"}


def test_nul_in_an_answer_is_left_out_so_that_every_database_keeps_the_turn(
    assistant: Assistant,
) -> None:
    answer = draft(assistant)
    answer.take(whole("It is\x00 there."), part="message")
    answer.close()
    assert answer.turn("conv_1").content == "It is there."


def test_a_handover_is_recorded_without_its_marker(assistant: Assistant) -> None:
    answer = draft(assistant)
    answer.take(whole("[handoff] I will ask a colleague."), part="message")
    answer.close()
    turn = answer.turn("conv_1")
    assert (turn.handed_over, turn.content) == (True, "I will ask a colleague.")


def test_an_empty_answer_is_a_fixed_sentence_and_a_person(assistant: Assistant) -> None:
    answer = draft(assistant)
    answer.take(whole("  "), part="message")
    answer.close()
    turn = answer.turn("conv_1")
    assert turn.status is TurnStatus.FALLBACK
    assert assistant.handoff_sentence in turn.content
    assert answer.escalated
