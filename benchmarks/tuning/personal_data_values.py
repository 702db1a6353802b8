"""Personal data made up, and what only looks like some: by type several ways to write it.

Numbers have the check digits that real ones have; addresses are in domains kept for examples.
"""

import hashlib
import random
import string
from collections.abc import Callable, Sequence

Draw = Callable[[random.Random], str]


def form(*patterns: str) -> list[Draw]:
    """Draws by example: `#` is a digit, `%` one from 1, `&` from 2, `?` a letter, `*` either."""
    return [_by_form(pattern) for pattern in patterns]


def _by_form(pattern: str) -> Draw:
    letters = {
        "#": string.digits,
        "%": string.digits[1:],
        "&": string.digits[2:],
        "?": string.ascii_uppercase,
        "*": string.ascii_uppercase + string.digits,
    }
    return lambda rng: "".join(rng.choice(letters.get(c, c)) for c in pattern)


# --- names and addresses

FIRST_NAMES = (
    "Anna Ben Chloe David Elena Farid Grace Hassan Ingrid Jonas Katarzyna Luca Maria Nadia Oliver "
    "Priya Quentin Rosa Stefan Tariq Ursula Viktor Wei Xenia Yusuf Zoë José François Jürgen Siân"
)
LAST_NAMES = (
    "Smith Müller Novak García Rossi Dubois Kowalska Patel O'Brien Schmidt Jensen Larsson Okafor "
    "Tanaka Nguyen Silva Haddad Weber MacDonald Ferrari Lindqvist Çelik Popescu Horváth"
)
SOME_HOSTS = (
    "example.com mail.example.org post.example.net example.co.uk alder-post.example web.example.de "
    "müller.example example.io uni.example.edu"
)
MONTHS = "January February March April May June July August September October November December"
DIGITS = "zero one two three four five six seven eight nine"
ODD_VALUES = "1 0 5 7 9 13 15 17 19 21 2 4 18 20 11 3 6 8 12 14 16 10 22 25 24 23"
FIRST, LAST, HOSTS = FIRST_NAMES.split(), LAST_NAMES.split(), SOME_HOSTS.split()


def _name(rng: random.Random) -> str:
    last = rng.choice(LAST)
    middle = rng.choice(["", "", "", "", "van der ", "de ", f"{rng.choice(FIRST)} ", "J. "])
    return f"{rng.choice(FIRST)} {middle}{last}"


def _mailbox(rng: random.Random) -> str:
    first, last = rng.choice(FIRST).lower(), rng.choice(LAST).lower()
    return rng.choice(
        [
            f"{first}.{last}",
            f"{first[0]}{last}",
            f"{first}_{rng.randrange(1950, 2010)}",
            f"{first}{rng.randrange(10, 999)}",
            f"{first}.{last}+shop",
            f"{last}-{first}",
        ]
    )


def _email(rng: random.Random) -> str:
    address = f"{_mailbox(rng)}@{rng.choice(HOSTS)}"
    return address.upper() if rng.random() < 0.05 else address


def _url(rng: random.Random) -> str:
    user, host = _mailbox(rng).replace("'", ""), rng.choice([h for h in HOSTS if h.isascii()])
    return rng.choice(
        [
            f"https://{host}/u/{user}",
            f"http://www.{host}/profile?id={rng.randrange(10**6)}",
            f"https://{host}/orders/{rng.randrange(10**8)}?token={rng.getrandbits(64):x}",
            f"www.{host}/~{user}",
            f"{host}/people/{user}",
            f"https://{user.replace('_', '-').replace('+', '-')}.{host}",
            f"https://{host}/a_(b)/c#part-{rng.randrange(9)}",
        ]
    )


# --- numbers with check digits


def luhn(body: str) -> str:
    """The digits and the one that makes them a card's (ISO/IEC 7812)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return f"{body}{-total % 10}"


def _card_digits(rng: random.Random) -> str:
    start, length = rng.choice(
        [("4", 16), ("51", 16), ("2221", 16), ("55", 16), ("37", 15), ("6011", 16), ("36", 14)]
    )
    return luhn(start + "".join(rng.choices(string.digits, k=length - 1 - len(start))))


def _in_groups(digits: str, sizes: Sequence[int], between: str) -> str:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(digits[at : at + size])
        at += size
    return between.join(piece for piece in pieces if piece)


def _card(between: str) -> Draw:
    def draw(rng: random.Random) -> str:
        digits = _card_digits(rng)
        sizes = {15: (4, 6, 5), 14: (4, 6, 4)}.get(len(digits), (4, 4, 4, 4))
        return _in_groups(digits, sizes, between)

    return draw


def _wrong(digits: str) -> str:
    return digits[:-1] + str((int(digits[-1]) + 1) % 10)


ACCOUNTS = {  # as the countries' registers describe them: n a digit, a a capital letter
    "DE": "n" * 18, "GB": "aaaa" + "n" * 14, "FR": "n" * 23, "NL": "aaaa" + "n" * 10,
    "ES": "n" * 20, "IT": "a" + "n" * 22, "AT": "n" * 16, "CH": "n" * 17, "BE": "n" * 12,
    "PL": "n" * 24, "NO": "n" * 11, "SE": "n" * 20, "IE": "aaaa" + "n" * 14,
}  # fmt: skip


def _iban_plain(rng: random.Random) -> str:
    country = rng.choice(list(ACCOUNTS))
    letters = {"n": string.digits, "a": string.ascii_uppercase}
    account = "".join(rng.choice(letters[c]) for c in ACCOUNTS[country])
    number = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02d}{account}"


def _iban(between: str, *, lower: bool = False) -> Draw:
    def draw(rng: random.Random) -> str:
        text = _in_groups(_iban_plain(rng), (4,) * 9, between)
        return text.lower() if lower else text

    return draw


def _nif(rng: random.Random) -> str:
    number = rng.randrange(10**7, 10**8)
    return f"{number}{rng.choice(['', '-'])}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _nino(rng: random.Random) -> str:
    start = rng.choice(["AB", "CE", "JG", "PX", "SR"])
    numbers = [f"{rng.randrange(100):02d}" for _ in range(3)]
    return rng.choice([" ", ""]).join([start, *numbers, rng.choice("ABCD")])


def _codice_fiscale(rng: random.Random) -> str:
    consonants = "BCDFGLMNPRSTVZ"
    names = "".join(rng.choices(consonants, k=6))
    born = f"{rng.randrange(40, 99):02d}{rng.choice('ABCDEHLMPRST')}{rng.randrange(1, 29):02d}"
    code = f"{names}{born}{rng.choice('ABCDEFGHL')}{rng.randrange(100, 999)}"
    odd = ODD_VALUES.split()

    def value(at: int, letter: str) -> int:
        number = int(letter) if letter.isdigit() else ord(letter) - ord("A")
        return int(odd[number]) if at % 2 == 0 else number

    return code + chr(ord("A") + sum(value(at, c) for at, c in enumerate(code)) % 26)


def _wallet(rng: random.Random) -> str:
    body = b"\0" + rng.randbytes(20)
    whole = body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
    letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(whole, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = letters[rest] + text
    return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + text


def _social_security(between: str) -> Draw:
    def draw(rng: random.Random) -> str:
        area = rng.choice([rng.randrange(1, 666), rng.randrange(667, 900)])
        group, serial = rng.randrange(1, 100), rng.randrange(1, 10000)
        return f"{area:03d}{between}{group:02d}{between}{serial:04d}"

    return draw


def _ip(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return ":".join(f"{rng.randrange(1, 65536):x}" for _ in range(8))
    if rng.random() < 0.2:
        return f"2001:db8::{rng.randrange(1, 65536):x}:{rng.randrange(1, 65536):x}"
    return ".".join(str(rng.randrange(1, 255)) for _ in range(4))


def _mac(rng: random.Random) -> str:
    return rng.choice(":-").join(f"{rng.randrange(256):02x}" for _ in range(6))


def _birth_date(rng: random.Random) -> str:
    day, month, year = rng.randrange(1, 29), rng.randrange(1, 13), rng.randrange(1940, 2008)
    name = MONTHS.split()[month - 1]
    return rng.choice(
        [
            f"{day:02d}.{month:02d}.{year}",
            f"{month:02d}/{day:02d}/{year}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day} {name} {year}",
            f"{name} {day}, {year}",
            f"{day:02d}.{month:02d}.{year % 100:02d}",
        ]
    )


# --- what fills the slots

PHONES = form(
    "+49 1%# #######", "+49 (0)%# #######", "0049 %0 #######", "01%# #######", "0%0/#######",
    "(0%0) ### ## ##", "+44 7### ######", "07### ######", "020 #### ####", "+44 (0)20 #### ####",
    "(&0%) 555-####", "&0%-555-####", "&0%.555.####", "+1 &0%-555-####", "1-&0%-555-####",
    "+1 (&0%) 555-#### ext. ##", "+33 % ## ## ## ##", "0% ## ## ## ##", "0%.##.##.##.##",
    "+34 6## ### ###", "6%# %## ###", "+39 3## ### ####", "+31 6 ########", "06-########",
    "+41 7# ### ## ##", "07# ### ## ##", "+43 664 #######", "+91 9#### #####", "09#### #####",
    "+61 4## ### ###", "(0%) #### ####", "+81 90-####-####", "090-####-####", "+86 13# #### ####",
    "+55 11 9####-####", "(1%) 9####-####", "+48 6## ### ###", "+46 70-### ## ##", "+1&0%555####",
    "+4917########", "017########", "+45 ## ## ## ##",
)  # fmt: skip
USUAL: dict[str, Sequence[Draw]] = {
    "EMAIL": [_email],
    "PHONE": PHONES,
    "PHONE_SAID": [*PHONES, *form("&0%555####", "9#### #####", "9### ####", "7########")],
    "CARD": [_card(" "), _card(" "), _card("-"), _card("")],
    "IBAN": [_iban(" "), _iban(" "), _iban(""), _iban("-"), _iban(" ", lower=True)],
    "SOCIAL_SECURITY": [_social_security("-")],
    "SOCIAL_SECURITY_SAID": [_social_security(""), _social_security(" ")],
    "NATIONAL_ID": [_nif, _nino, _codice_fiscale],
    "IP_ADDRESS": [_ip],
    "MAC_ADDRESS": [_mac],
    "CRYPTO": [_wallet],
    "URL": [_url],
    "BIRTH_DATE": [_birth_date],
    "NAME": [_name],
    "NAME_SAID": [_name, lambda rng: rng.choice(FIRST)],
}
LIKE: dict[str, Sequence[Draw]] = {
    "ORDER": form(
        "########",
        "%#########",
        "%##-#######-#######",
        "AB-######",
        "%###-####-####",
        "##-##-####",
        "%## ### ####",
        "%##-###-####",
        "SO%#####",
        "%###.####",
        "################",
    ),
    "TRACKING": form(
        "1Z###*##############",
        "00%#################",
        "RR#########DE",
        "%### #### ####",
        "%### #### #### #### #### ##",
        "JD01############",
        "TBA############",
    ),
    "DATE": form(
        "202%-0%-1#",
        "1#.0%.202%",
        "0%/1#/202%",
        "1# March 202%",
        "202%-0%-1# 1#:3#",
        "202%0%1#",
        "1#.0%.-2#.0%.202%",
        "Q%/202%",
    ),
    "AMOUNT": form(
        "%##.## €",
        "€%,###.##",
        "$%##",
        "%.###,## EUR",
        "%## ### kr",
        "1 %## ### €",
        "£%#.##",
        "%#%",
        "CHF %'###.##",
    ),
    "VERSION": form(
        "%.#.#",
        "v1%.#.##",
        "10.0.%####.####",
        "version 4.%.#.#",
        "2%.##.#-beta",
        "iOS 1%.#",
        "firmware 1.2.#.##",
    ),
    "TIME": form("1#:3#", "0%:#5 Uhr", "8-1% Uhr", "9 to 1%", "10-12 and 14-18"),
    "NO_CARD": [
        lambda rng: _in_groups(_wrong(_card_digits(rng)), (4, 4, 4, 4), rng.choice([" ", "", "-"]))
    ],
    "NO_IBAN": [lambda rng: _in_groups(_wrong(_iban_plain(rng)), (4,) * 9, rng.choice([" ", ""]))],
    "PLACE": form("5%.5#####, 1%.4#####", "SW1A 1AA", "D-1####", "#%### Springfield"),
    "BOOK": form("978-3-16-14841#-#", "ISBN 3-16-14841#-#", "35-209900-17614#-%"),
}
# --- hard to see

_ARABIC = str.maketrans(string.digits, "٠١٢٣٤٥٦٧٨٩")
_WIDE = str.maketrans(string.digits, "０１２３４５６７８９")
_UNSEEN = "\u200b\u200d\u2060\u00ad"


def _changed(draws: Sequence[Draw], change: Callable[[str, random.Random], str]) -> Draw:
    return lambda rng: change(rng.choice(draws)(rng), rng)


def _with_unseen(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(text))
    return text[:at] + rng.choice(_UNSEEN) + text[at:]


def _hard_digits(draws: Sequence[Draw]) -> list[Draw]:
    """The ways in which any number is hard to see."""
    return [
        _changed(draws, lambda text, _: text.translate(_ARABIC)),
        _changed(draws, lambda text, _: text.translate(_WIDE)),
        _changed(draws, _with_unseen),
        _changed(draws, lambda text, _: text.replace(" ", "\u00a0").replace("-", "–")),
        _changed(draws, lambda text, _: text.replace(" ", "\n", 1)),
    ]


def _one_by_one(text: str, _: random.Random) -> str:
    return " ".join(filter(str.isalnum, text))


def _in_words(text: str, _: random.Random) -> str:
    words = DIGITS.split()
    return " ".join(words[int(c)] for c in text if c.isdigit())


def _spelled(at: str, dot: str) -> Draw:
    return _changed([_email], lambda text, _: text.lower().replace("@", at).replace(".", dot))


_PLAIN_PHONES = form("+49 1%# #######", "01%# #######", "+1 &0% 555 ####", "+44 7### ######")
HARD: dict[str, Sequence[Draw]] = {
    "EMAIL": [
        _spelled(" at ", " dot "),
        _spelled("(at)", "."),
        _spelled(" [at] ", " [dot] "),
        _spelled(" @ ", "."),
        _spelled("＠", "."),
        _spelled("@\n", "."),
        _spelled(" ät ", " punkt "),
        _changed([_email], _with_unseen),
        _changed([_email], lambda text, _: " ".join(text)),
    ],
    "PHONE": [
        *_hard_digits(_PLAIN_PHONES),
        _changed(_PLAIN_PHONES, _one_by_one),
        _changed(_PLAIN_PHONES, lambda text, _: f"[{text[:4]}] {text[4:].strip()}"),
        _changed(_PLAIN_PHONES, _in_words),
    ],
    "CARD": [
        *_hard_digits([_card(" ")]),
        _changed([_card("")], _one_by_one),
        _card("."),
        _card("  "),
    ],
    "IBAN": [
        *_hard_digits([_iban(" ")]),
        _changed([_iban("")], _one_by_one),
        _iban("."),
        _iban("\n"),
    ],
    "SOCIAL_SECURITY": _hard_digits([_social_security("-"), _social_security(" ")]),
    "IP_ADDRESS": [
        _changed(form("192.168.#.##"), lambda text, _: text.replace(".", "[.]")),
        _changed(form("192.168.#.##"), lambda text, _: text.replace(".", " . ")),
        _changed(form("192.168.#.##"), _with_unseen),
    ],
    "URL": [
        _changed([_url], lambda text, _: text.replace("http", "hxxp").replace(".", "[.]")),
        _changed([_url], lambda text, _: text.upper()),
        _changed([_url], _with_unseen),
    ],
    "NAME": [
        _changed([_name], lambda text, _: text.lower()),
        _changed([_name], lambda text, _: text.upper()),
        _changed([_name], _with_unseen),
    ],
    "NO_CARD": [
        _changed(LIKE["NO_CARD"], lambda text, _: text.translate(_WIDE)),
        _changed(LIKE["NO_CARD"], _one_by_one),
    ],
}
