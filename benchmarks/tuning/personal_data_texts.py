"""Texts with known personal data, made up: the same for the same seed, nobody's in truth.

Sentences of customers and of agents, in English and some German, with slots. What fills a slot is
drawn from several ways to write the type; `{ORDER}` and its like hold what only looks like one.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.tuning.personal_data_values import HARD, LIKE, USUAL, Draw


@dataclass(frozen=True)
class Known:
    """A text, and where in it what stands."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def usual_texts(count: int, *, seed: int) -> list[Known]:
    """Texts as people write them; about a third hold nothing."""
    rng = random.Random(seed)
    return [_usual(rng) for _ in range(count)]


def adversarial_texts(count: int, *, seed: int) -> list[Known]:
    """Texts in which the same types are hard to see, by accident or on purpose."""
    rng = random.Random(seed)
    return [_filled(rng.choice(ADVERSARIAL), rng, HARD) for _ in range(count)]


def _usual(rng: random.Random) -> Known:
    nothing = rng.random() < 0.35
    parts = [rng.choice(NEGATIVE if nothing else POSITIVE)]
    if rng.random() < 0.5:
        parts.insert(rng.randrange(2), rng.choice(NEGATIVE))
    return _filled(_joined(parts), rng, USUAL)


def _joined(sentences: Sequence[str]) -> str:
    """One behind the other, on a line of its own where nothing ends the one before."""
    text = sentences[0]
    for sentence in sentences[1:]:
        text += (" " if text[-1] in ".!?" else "\n") + sentence
    return text


def _filled(template: str, rng: random.Random, draws: dict[str, Sequence[Draw]]) -> Known:
    """A template with its slots filled; a slot of a type is a span, one of `LIKE` is none."""
    text, spans = "", []
    for piece in re.split(r"(\{[A-Z_]+\})", template):
        name = piece[1:-1]
        if not (piece.startswith("{") and (name in draws or name in LIKE)):
            text += piece
            continue
        value = rng.choice(draws[name] if name in draws else LIKE[name])(rng)
        if name not in LIKE:
            spans.append((len(text), len(text) + len(value), name.removesuffix("_SAID")))
        text += value
    return Known(text, tuple(spans))


POSITIVE = (
    "My e-mail is {EMAIL}, can you change it?",
    "Please write to {EMAIL} and not to {EMAIL}.",
    "I can't log in with {EMAIL} any more!",
    "Contact: {NAME_SAID} <{EMAIL}>".replace("{NAME_SAID} ", ""),
    "Meine neue Adresse lautet {EMAIL} (privat).",
    "mailto:{EMAIL} does nothing when I click it",
    "You can reach me at {PHONE_SAID} after work.",
    "Please call {PHONE_SAID}.",
    "My phone number changed to {PHONE_SAID}, the app still shows {PHONE_SAID}",
    "Bitte rufen Sie mich unter der Telefonnummer {PHONE_SAID} an.",
    "Is {PHONE} the number that you have of me?",
    "{PHONE} or {EMAIL}, both work.",
    "SMS codes go to {PHONE}, but I never get them",
    "Mobile: {PHONE_SAID}\nLandline: {PHONE}",
    "The card {CARD} was declined twice.",
    "Card number {CARD}, expires 12/27, CVV 123",
    "someone used my card ({CARD}) in a shop I don't know",
    "Meine Karte {CARD} ist weg, bitte sperren!",
    "My IBAN is {IBAN}.",
    "Please refund it to {IBAN}, thanks!",
    "Von {IBAN} auf {IBAN} überwiesen, nichts angekommen",
    "IBAN: {IBAN}\nName: {NAME_SAID}",
    "The transfer to {IBAN} is still pending since Monday",
    "My SSN is {SOCIAL_SECURITY_SAID}.",
    "Why do you need my social security number ({SOCIAL_SECURITY})?",
    "On the form I wrote {SOCIAL_SECURITY} by mistake",
    "My national insurance or tax code is {NATIONAL_ID}, it says invalid.",
    "For verification: {NATIONAL_ID}",
    "DNI {NATIONAL_ID}, tarjeta bloqueada",
    "I was blocked while on {IP_ADDRESS}.",
    "Login from {IP_ADDRESS} was not me!",
    "Your log shows {IP_ADDRESS} and {IP_ADDRESS}, both are ours",
    "The reader with MAC {MAC_ADDRESS} won't pair.",
    "device {MAC_ADDRESS} keeps dropping the connection",
    "I sent it to wallet {CRYPTO} yesterday.",
    "Coins went to {CRYPTO}; was that right?",
    "My profile is {URL}.",
    "Look at {URL}, it is my page.",
    "the link ({URL}) you sent me is dead",
    "I was born on {BIRTH_DATE}, so I am of age.",
    "Date of birth: {BIRTH_DATE}",
    "Ich bin am falschen Tag geführt: geboren am {BIRTH_DATE}",
    "My name is {NAME_SAID} and I lost my card.",
    "Mein Name ist {NAME_SAID}, ich brauche Hilfe",
    "Ich heiße {NAME_SAID}. Wo ist mein Geld?",
    "The account is in the name of {NAME}.",
    "Account holder: {NAME}",
    "Dear Mr {NAME}, we have sent you a new card.",
    "Hello {NAME_SAID}, your card is on its way.",
    "Sehr geehrte Frau {NAME}, vielen Dank für Ihre Nachricht.",
    "I spoke with Mrs. {NAME} at your branch",
    "Hi, this is {NAME}, I can't pay online.",
    "Je m'appelle {NAME_SAID} et ma carte ne marche pas.",
    "Me llamo {NAME_SAID}, ayuda por favor",
    "My name is {NAME_SAID}, {EMAIL}, phone {PHONE}",
)
NEGATIVE = (
    "Where is my order {ORDER}?",
    "Order number {ORDER} was placed on {DATE}.",
    "Bestellnummer {ORDER}, bestellt am {DATE}",
    "Invoice no. {ORDER} says {AMOUNT} instead of {AMOUNT}",
    "My ticket #{ORDER} is open since {DATE}.",
    "Tracking number {TRACKING} shows nothing",
    "Sendungsnummer {TRACKING}",
    "The parcel ({TRACKING}) was due on {DATE}.",
    "I was charged {AMOUNT} on {DATE} at {TIME}.",
    "It costs {AMOUNT}, not {AMOUNT}!",
    "Since {VERSION} the app crashes.",
    "I use {VERSION} on a phone from 2021",
    "Are you open {TIME} on Saturdays?",
    "My card ending 4242 was declined.",
    "The number {NO_CARD} is refused as a card, why?",
    "It says {NO_IBAN} is no valid account.",
    "I live near {PLACE}.",
    "The book {BOOK} never arrived",
    "How do I change my PIN?",
    "Dear Support, nothing works.",
    "Hi there, can you help me?",
    "Hello Team, This is Urgent!",
    "I am at home at 5 and look at the app.",
    "Thanks, I will wait.Please be quick",
    "Why was my payment declined? I am still waiting.",
    "Follow us @alderbank, room 12/3, rule 4.2",
    "I read about it in the FAQ, chapter 3.1.4, page 12.",
    "What is the exchange rate of 1,234,567.89 to 1.234.567,89?",
    "Can I top up twice a day? 10 + 10 = 20.",
    "My Name is spelled wrong on the card",
    "Use invoice.pdf or photo.jpg, not report_v2.docx",
    "Ist die Gebühr von {AMOUNT} am {DATE} richtig?",
    "Reference {ORDER} / customer number {ORDER}",
    "The meeting is from {DATE} to {DATE}.",
)
ADVERSARIAL = (
    "Write to {EMAIL} please",
    "My address: {EMAIL}.",
    "call me on {PHONE}, thanks",
    "My number is {PHONE} now.",
    "My card {CARD} was declined",
    "card: {CARD}, valid 12/27",
    "The refund goes to {IBAN}.",
    "my SSN is {SOCIAL_SECURITY}",
    "I was blocked on {IP_ADDRESS} today",
    "see {URL} for it",
    "My name is {NAME}, hello",
    "The number {NO_CARD} is refused, why?",
    "Is order {ORDER} from {DATE} for {AMOUNT} lost?",
)
