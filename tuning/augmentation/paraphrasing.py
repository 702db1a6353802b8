"""What a model is asked for other wordings, and what is taken from its answers. Pure."""

import re

from tuning.augmentation.asking import Ask

_MANNERS = (
    "as a customer in a hurry would type it in a chat",
    "politely and in whole sentences",
    "in as few words as possible",
    "with other words and another order of the sentence",
    "as somebody would say it who doesn't know the right terms",
    "as two short sentences",
)
_PARAPHRASE = (
    "You reword customers' questions. Keep exactly what is asked for, all names, numbers and "
    "anything in brackets. Keep the language. Answer with the reworded question alone."
)
_TRANSLATE = (
    "You translate customers' questions into {language}. Keep names, numbers and anything in "
    "brackets as they are. Answer with the translation alone."
)
_KEEPS = (
    "You check a support team's answers. Say yes if the answer is a right and complete answer to "
    "the question, else no. Answer with one word."
)
_TEMPERATURE = 0.8
_INTRODUCTION = re.compile(
    r"^\s*(?:(?:here(?:'s| is)|sure|certainly|reworded|paraphrase[d]?|translation|question)\b"
    r"[^:\n]{0,60}:)\s*",
    re.IGNORECASE,
)
_QUOTES = "\"'“”„«»`"


def paraphrase(question: str, *, number: int) -> Ask:
    """Ask for a wording; each number asks for another manner, and draws anew."""
    manner = _MANNERS[number % len(_MANNERS)]
    return Ask(
        (("system", _PARAPHRASE), ("user", f"Reword {manner}:\n\n{question}")),
        temperature=_TEMPERATURE,
        seed=number,
        max_tokens=_room(question),
    )


def translate(text: str, *, language: str) -> Ask:
    """Ask for a translation, the likeliest one."""
    system = _TRANSLATE.format(language=language)
    return Ask((("system", system), ("user", text)), max_tokens=2 * _room(text))


def keeps_answer(question: str, answer: str) -> Ask:
    """Ask whether an answer is right for a question."""
    said = f"Question: {question}\n\nAnswer: {answer}"
    return Ask((("system", _KEEPS), ("user", said)), max_tokens=4)


def says_yes(answer: str | None) -> bool:
    """Whether a model agrees; no answer is no."""
    return bool(answer) and str(answer).strip(_QUOTES + " .*\n").lower().startswith("yes")


def wording_of(answer: str | None) -> str:
    """The wording in a model's answer, without what it says around it; empty where it has none."""
    text = _INTRODUCTION.sub("", (answer or "").strip(), count=1)
    text = text.strip().strip(_QUOTES).strip()
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line)


def _room(text: str) -> int:
    """Tokens enough for a text of about this length, in any script."""
    return 64 + len(text)
