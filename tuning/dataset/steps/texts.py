"""The texts of an example, changed one by one while the handoff marker stays as it is. Pure."""

from collections.abc import Callable
from dataclasses import replace

from records.messages import Message
from tuning.dataset.examples import TrainingExample

Change = Callable[[str], str]


def with_texts(example: TrainingExample, change: Change, *, marker: str) -> TrainingExample:
    """The example with every text changed: what was said before, the answer, the rejected one.

    Where nothing changes it is the same object, so that whoever counts changes need not compare.
    """
    prompt = tuple(_changed(message, change) for message in example.prompt)
    answer = around_marker(example.answer, change, marker=marker)
    rejected = example.rejected
    if rejected is not None:
        rejected = around_marker(rejected, change, marker=marker)
    return with_new_texts(example, prompt=prompt, answer=answer, rejected=rejected)


def with_new_texts(
    example: TrainingExample, *, prompt: tuple[Message, ...], answer: str, rejected: str | None
) -> TrainingExample:
    """The example with these texts; itself where they are what it has."""
    if (prompt, answer, rejected) == (example.prompt, example.answer, example.rejected):
        return example
    return replace(example, prompt=prompt, answer=answer, rejected=rejected)


def around_marker(text: str, change: Change, *, marker: str) -> str:
    """The text with what stands beside the marker changed.

    A change that would write the marker where there was none is not made: it would turn an
    answer into a handoff.
    """
    if not marker or marker not in text:
        changed = change(text)
        return text if marker and marker in changed else changed
    return marker.join(_core_changed(piece, change) for piece in text.split(marker))


def _changed(message: Message, change: Change) -> Message:
    content = change(message.content)
    return message if content == message.content else Message(message.role, content)


def _core_changed(piece: str, change: Change) -> str:
    """Changed but for the space around it, which keeps the marker apart from the words."""
    core = piece.strip()
    before, _, after = piece.partition(core) if core else (piece, "", "")
    return f"{before}{change(core) if core else ''}{after}"
