"""Other wordings without a model: what people do to a question when they type it. Pure, seeded.

None of it changes what is asked. English gets more of it than other languages, whose contractions
and courtesies are not known here; they get typing errors and careless letter case.
"""

import random
import re
from collections.abc import Callable

from records.text import words

_ENGLISH_WORDS = "the a is are my i can do does how what where when why to of and it you have will"
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_CONTRACTIONS = (
    ("i am", "i'm"), ("i have", "i've"), ("i would", "i'd"), ("i will", "i'll"),
    ("do not", "don't"), ("does not", "doesn't"), ("did not", "didn't"), ("is not", "isn't"),
    ("are not", "aren't"), ("was not", "wasn't"), ("has not", "hasn't"), ("have not", "haven't"),
    ("can not", "can't"), ("cannot", "can't"), ("could not", "couldn't"), ("will not", "won't"),
    ("what is", "what's"), ("where is", "where's"), ("how is", "how's"), ("it is", "it's"),
    ("that is", "that's"), ("there is", "there's"), ("you are", "you're"),
)  # fmt: skip
_GREETINGS = ("Hi, ", "Hello, ", "Hi there, ", "Hey, ", "Good morning, ", "Quick question: ")
_CLOSINGS = (" Thanks!", " Thank you.", " Please help.", " Thanks in advance.", " Cheers")
_KEYBOARD = {
    letter: near
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for letter, near in zip(row, row[1:] + row[-2], strict=True)
}
_TYPED = re.compile(r"(?<![\w<\[{])[^\W\d_]{5,}(?![\w>\]}])")
"""Words that may be mistyped: not placeholders, codes or short words."""
_CLAUSE = re.compile(r"^((?:after|when|if|since|because|before|once|for)\b[^,?.!]{6,80}),\s+(.+)$",
                     re.IGNORECASE | re.DOTALL)  # fmt: skip


def wordings(question: str, count: int, *, seed: str) -> list[str]:
    """Up to `count` other wordings, each different from the others; the same for the same seed."""
    found: dict[str, None] = {}
    rules = _rules(question)
    for attempt in range(4 * count):
        draw = random.Random(f"{seed}\0{attempt}")
        text = question.strip()
        drawn = draw.sample(range(len(rules)), k=min(len(rules), draw.choice((1, 1, 2))))
        for at in sorted(drawn):  # errors come first, so that no courtesy has one
            text = rules[at](text, draw)
        if draw.random() < 0.3:
            text = _careless(text)
        if " ".join(words(text)) != " ".join(words(question)):
            found.setdefault(text)
        if len(found) == count:
            break
    return list(found)


_Rule = Callable[[str, random.Random], str]


def _rules(question: str) -> list[_Rule]:
    if not _ENGLISH & set(words(question)):
        return [_mistype]
    return [_mistype, _contract, _greet, _close, _turn]


def _mistype(text: str, draw: random.Random) -> str:
    """One wrong key in one longer word: two letters changed, one left out, doubled, or beside."""
    places = list(_TYPED.finditer(text))
    if not places:
        return text
    place = draw.choice(places)
    word = place[0]
    at = draw.randrange(1, len(word) - 1)
    letter = word[at]
    slips = (
        word[:at] + word[at + 1] + letter + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + _KEYBOARD.get(letter, letter + letter) + word[at + 1 :],
    )
    return text[: place.start()] + draw.choice(slips) + text[place.end() :]


def _contract(text: str, draw: random.Random) -> str:
    """A contraction written out, or the other way round."""
    found = []
    for long, short in _CONTRACTIONS:
        for one, other in ((long, short), (short, long)):
            pattern = re.compile(rf"(?<![\w']){re.escape(one)}(?![\w'])", re.IGNORECASE)
            if match := pattern.search(text.replace("’", "'")):
                found.append((match, other))
    if not found:
        return text
    match, other = draw.choice(found)
    put = other[0].upper() + other[1:] if match[0][0].isupper() else other
    put = re.sub(r"\bi\b", "I", put)
    return text[: match.start()] + put + text[match.end() :]


def _greet(text: str, draw: random.Random) -> str:
    if re.match(r"(?i)(hi|hello|hey|good|dear|quick)\b", text):
        return text
    greeting = draw.choice(_GREETINGS)
    begins_a_name = len(text) > 1 and (text[:2] in ("I ", "I'") or text[1].isupper())
    return greeting + (text if begins_a_name else text[0].lower() + text[1:])


def _close(text: str, draw: random.Random) -> str:
    if re.search(r"(?i)\b(thanks|thank you|cheers|please help)\W*$", text):
        return text
    return text + ("" if text[-1] in ".!?" else ".") + draw.choice(_CLOSINGS)


def _turn(text: str, _: random.Random) -> str:
    """A clause from the front to the end: "If I lose it, what happens?" → "What happens if …"."""
    found = _CLAUSE.match(text)
    if found is None or re.search(r"[.!?]\s", found[2].strip()):
        return text
    clause, rest = found[1], found[2].strip()
    end = rest[-1] if rest[-1] in "?.!" else ""
    clause = clause if clause[:2] in ("I ", "I'") else clause[0].lower() + clause[1:]
    return f"{rest[0].upper()}{rest[1:].rstrip('?.! ')} {clause}{end}"


def _careless(text: str) -> str:
    """No capitals and no mark at the end; what stands in brackets stays."""
    parts = re.split(r"([<\[{][^>\]}]{1,40}[>\]}])", text)
    lowered = "".join(part if at % 2 else part.lower() for at, part in enumerate(parts))
    return lowered.rstrip("?.! ")
