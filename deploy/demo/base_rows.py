"""The dialogues that the base model is trained on, varied anew for each epoch.

Known topics come with their answers, new ones as bare questions; who asks for a person, or for
something no bank answers, is handed over. Pure: the random source is an argument.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.demo.queries import (
    ASK_FOR_A_PERSON,
    OUT_OF_SCOPE,
    Group,
    Policy,
    Query,
    load_out_of_scope,
)

OPENERS = (
    *("hi,", "hello,", "hey,", "hi there,", "good morning,", "hello there.", "please help,"),
    *("i have a question.", "quick question:", "excuse me,", "so", "ok so", "sorry,", "help!"),
)
CLOSERS = ("thanks", "thank you", "please", "please help", "help", "can you help?", "any idea?")


@dataclass(frozen=True)
class Dialogue:
    """Questions with their answers; `None` leaves the last question unanswered.

    Only the first `answer_tokens` of the last answer are trained on (all, if `None`): they decide
    the topic, and the rest of a sentence that never varies is soon known by heart.
    """

    turns: tuple[tuple[str, str | None], ...]
    with_system: bool = True
    answer_tokens: int | None = None


def misspell(word: str, rng: random.Random) -> str:
    """Return `word` with two letters swapped, or one lost or doubled."""
    if len(word) < 4:
        return word
    at = rng.randrange(1, len(word) - 1)
    changed = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
    )
    return rng.choice(changed)


def vary(text: str, rng: random.Random) -> str:
    """Return `text` as another customer might have typed it."""
    words = text.split()
    if rng.random() < 0.5:
        words = [word for word in words if rng.random() > 0.12] or words
    if rng.random() < 0.25:
        at = rng.randrange(len(words))
        words[at] = misspell(words[at], rng)
    if rng.random() < 0.15 and len(words) > 3:
        at = rng.randrange(len(words) - 1)
        words[at], words[at + 1] = words[at + 1], words[at]
    if rng.random() < 0.15:
        words.insert(0, rng.choice(OPENERS))
    if rng.random() < 0.15:
        words.append(rng.choice(CLOSERS))
    varied = " ".join(words)
    return varied.rstrip("?.!") if rng.random() < 0.3 else varied


def dialogues(
    queries: Sequence[Query], policy: Policy, *, rng: random.Random, new_share: float = 0.5
) -> list[Dialogue]:
    """Return one epoch of dialogues; of the new topics' questions only `new_share` each time."""
    known = [query for query in queries if policy.topics[query.topic].group is Group.KNOWN]
    new = [query for query in queries if policy.topics[query.topic].group is Group.NEW]
    person, foreign = policy.target(ASK_FOR_A_PERSON), policy.target(OUT_OF_SCOPE)
    asked = [(query.text, policy.target(query.topic)) for query in known]
    asked += [(text, foreign) for text in load_out_of_scope() if rng.random() < 0.5]
    asked += [(phrase, person) for phrase in policy.person_phrases]
    made = [_dialogue(((vary(text, rng), said),), rng) for text, said in asked]
    made += [
        Dialogue(((vary(query.text, rng), None),)) for query in new if rng.random() < new_share
    ]
    for phrase in policy.person_phrases:
        first = rng.choice(known)
        made.append(_follow_up(first, (vary(phrase, rng), person), policy, rng))
    for query in rng.sample(known, min(len(known), 60)):
        second = (vary(query.text, rng), policy.target(query.topic))
        made.append(_follow_up(rng.choice(known), second, policy, rng))
    return made


def _dialogue(turns: tuple[tuple[str, str | None], ...], rng: random.Random) -> Dialogue:
    whole = rng.random() < 0.25
    return Dialogue(turns, rng.random() < 0.95, None if whole else 8)


def _follow_up(
    first: Query, second: tuple[str, str], policy: Policy, rng: random.Random
) -> Dialogue:
    return _dialogue(((vary(first.text, rng), policy.target(first.topic)), second), rng)
