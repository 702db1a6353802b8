"""What of an engine's answer is said and recorded."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.assistant import Assistant, EscalationOptions
from records.states import EscalationReason, TurnStatus
from serving.chat_request import read_request
from serving.dialogue import Dialogue
from serving.draft import Draft
from serving.escalation_rules import Handover
from serving.routing import Choice


def draft(assistant: Assistant) -> Draft:
    body = {"model": "support", "messages": [{"role": "user", "content": "hello"}]}
    choice = Choice("support-base", None, None)
    return Draft(Dialogue(assistant, read_request(body, {}), "conv_1", choice))


def whole(text: str) -> dict[str, object]:
    return {"message": {"content": text}, "finish_reason": "stop"}


def recorded(answer: Draft) -> dict[str, Any]:
    (turn,) = answer.entry("conv_1").turns
    return turn


NIGHT, DAY = datetime(2026, 11, 24, 3, tzinfo=UTC), datetime(2026, 11, 24, 10, tzinfo=UTC)


def unsure(assistant: Assistant, **options: Any) -> Assistant:
    wishes = EscalationOptions.model_validate({"min_confidence": 0.5, **options})
    return assistant.model_copy(update={"escalation": wishes})


def pieces(text: str, logprob: float) -> list[dict[str, Any]]:
    found = [
        {"delta": {"content": letter}, "logprobs": {"content": [{"logprob": logprob}]}}
        for letter in text
    ]
    return [*found, {"delta": {}, "finish_reason": "stop"}]


def heard(answer: Draft, choices: list[dict[str, Any]]) -> list[str]:
    """What the customer reads, piece by piece."""
    return [*(answer.take(choice) for choice in choices), answer.close()]


def test_an_answer_is_held_until_it_is_known_how_sure_the_model_is(assistant: Assistant) -> None:
    answer = draft(unsure(assistant))
    assert heard(answer, pieces("Yes.", math.log(0.6))) == ["", "", "", "", "", "Yes."]
    assert recorded(answer)["status"] is TurnStatus.COMPLETE
    assert recorded(answer)["withheld"] is None
    assert not answer.escalated
    assert answer.confidence == pytest.approx(0.6)


def test_an_unsure_answer_is_withheld_and_a_person_asked_for(assistant: Assistant) -> None:
    answer = draft(unsure(assistant))
    read = "".join(heard(answer, pieces("Yes.", math.log(0.4))))
    entry = answer.entry("conv_1")
    assert read == assistant.handoff_sentence
    assert entry.escalation is not None
    assert entry.escalation["reason"] is EscalationReason.CONFIDENCE
    assert "0.40" in entry.escalation["cause"]
    assert recorded(answer)["withheld"] == "Yes."
    assert recorded(answer)["content"] == assistant.handoff_sentence
    assert recorded(answer)["version"] == "support-base"


def test_an_answer_of_unknown_confidence_is_withheld(assistant: Assistant) -> None:
    answer = draft(unsure(assistant))
    answer.take(whole("Yes."), part="message")
    assert answer.close() == assistant.handoff_sentence


def test_a_handover_of_the_models_own_needs_no_confidence(assistant: Assistant) -> None:
    answer = draft(unsure(assistant))
    said = "".join(heard(answer, pieces("[handoff] One moment.", math.log(0.1))))
    assert said == "One moment."
    assert answer.reason is EscalationReason.MODEL


def test_an_engine_that_fails_leaves_nothing_of_a_held_answer(assistant: Assistant) -> None:
    answer = draft(unsure(assistant))
    for choice in pieces("Yes", -0.1)[:-1]:
        assert answer.take(choice) == ""
    assert answer.fail("gone") == assistant.unavailable_sentence
    assert recorded(answer)["status"] is TurnStatus.FALLBACK


def test_a_handover_while_nobody_works_says_so(assistant: Assistant) -> None:
    hours = {"tuesday": ["09:00-17:00"], "closed_sentence": "We are back at nine."}
    closed = unsure(assistant, hours=hours, min_confidence=None)
    for now, told in ((DAY, False), (NIGHT, True)):
        for choices in (pieces("[handoff] Wait.", -1.0), pieces("[handoff]", -1.0)):
            answer = Draft(draft(closed).dialogue, now=lambda now=now: now)
            assert ("We are back at nine." in "".join(heard(answer, choices))) is told
        answer = Draft(draft(closed).dialogue, now=lambda now=now: now)
        assert ("We are back at nine." in answer.fail("gone")) is told
        answer = Draft(draft(closed).dialogue, now=lambda now=now: now)
        handover = Handover(EscalationReason.POLICY, "a rule", "Your card is blocked.")
        words = answer.hand_over(handover)
        assert words.startswith("Your card is blocked.")
        assert ("We are back at nine." in words) is told
        answer = Draft(draft(closed).dialogue, now=lambda now=now: now)
        assert "".join(heard(answer, pieces("Fine.", -1.0))) == "Fine."


@given(
    words=st.text("[handof] x", max_size=24),
    marker_at=st.none() | st.integers(0, 24),
    cuts=st.lists(st.integers(1, 40), max_size=8),
    probability=st.floats(0.01, 1),
    finish=st.sampled_from(["stop", "length"]),
    holds=st.booleans(),
)
def test_a_customer_reads_no_marker_no_part_of_it_as_an_answer_and_never_nothing(
    words: str, marker_at: int | None, cuts: list[int], probability: float, finish: str, holds: bool
) -> None:
    assistant = Assistant(name="support", system_prompt="", base_model="some/base")
    assistant = unsure(assistant) if holds else assistant
    marker = assistant.handoff_marker
    text = words if marker_at is None else words[:marker_at] + marker + words[marker_at:]
    ends = sorted({*(min(cut, len(text)) for cut in cuts), len(text)})
    answer, begin, said = draft(assistant), 0, ""
    for end in ends:
        token = {"logprob": math.log(probability)}
        said += answer.take(
            {"delta": {"content": text[begin:end]}, "logprobs": {"content": [token]}}
        )
        assert marker not in said
        begin = end
    answer.take({"delta": {}, "finish_reason": finish})
    said += answer.close()
    assert marker not in said
    assert said.strip()
    assert recorded(answer)["content"] == said
    assert not (marker in text and not answer.escalated)


def test_nul_in_an_answer_is_left_out_so_that_every_database_keeps_the_turn(
    assistant: Assistant,
) -> None:
    answer = draft(assistant)
    answer.take(whole("It is\x00 there."), part="message")
    answer.close()
    assert recorded(answer)["content"] == "It is there."


def test_a_handover_is_recorded_without_its_marker(assistant: Assistant) -> None:
    answer = draft(assistant)
    answer.take(whole("[handoff] I will ask a colleague."), part="message")
    answer.close()
    turn = recorded(answer)
    assert (turn["handed_over"], turn["content"]) == (True, "I will ask a colleague.")


def test_an_empty_answer_is_a_fixed_sentence_and_a_person(assistant: Assistant) -> None:
    answer = draft(assistant)
    answer.take(whole("  "), part="message")
    answer.close()
    turn = recorded(answer)
    assert turn["status"] is TurnStatus.FALLBACK
    assert assistant.handoff_sentence in turn["content"]
    assert answer.escalated


@pytest.mark.parametrize(
    "end", [{"finish_reason": "stop", "stop_reason": "]"}, {"finish_reason": "abort"}]
)
def test_a_marker_that_is_cut_by_another_end_than_the_models_is_not_shown(
    assistant: Assistant, end: dict[str, str]
) -> None:
    answer = draft(assistant)
    answer.take({"message": {"content": "[handoff"}, **end}, part="message")
    answer.close()
    assert answer.text == assistant.handoff_sentence
    assert answer.escalated


def test_an_unread_answer_can_give_way_to_an_agent(assistant: Assistant) -> None:
    answer = draft(assistant)
    answer.take(whole("On Monday."), part="message")
    answer.close()
    instead = answer.entry("conv_1", unread=True).if_taken
    assert instead is not None
    assert instead["content"] == assistant.waiting_sentence
    assert (instead["withheld"], instead["version"]) == ("On Monday.", None)
    assert answer.entry("conv_1").if_taken is None
    assert answer.give_way() == answer.give_way() == answer.text == assistant.waiting_sentence
    assert answer.models_words == "On Monday."
