"""Names and dates of birth, found by the words before them: by form alone they are words. Pure."""

from collections.abc import Iterator

import regex

from tuning.dataset.personal_data.kinds import Find, Kind

_SURE, _LIKELY = 0.85, 0.6
_WORD = r"\p{Lu}[\p{L}\p{M}]*(?:['’-]\p{Lu}?[\p{L}\p{M}]+){0,2}"
_PARTICLE = (
    r"(?:van|von|vom|zu|zur|de|den|der|del|della|di|da|dos|du|la|le|al|el|bin|ibn|ben|ter|ten|y"
    r"|St\.|\p{Lu}\.)"
)
_NAME = rf"(?P<name>(?:\p{{Lu}}\.[ ]){{0,2}}{_WORD}(?:[ ](?:{_PARTICLE}[ ]){{0,2}}{_WORD}){{0,3}})"
_TWO_WORDS = rf"(?P<name>{_WORD}(?:[ ](?:{_PARTICLE}[ ]){{0,2}}{_WORD}){{1,3}})"
_TITLE = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Herrn?|Frau|Señora?|Sra?|Monsieur|Madame|Mme|Mlle"
    r"|Signora?|Sig|Dott)\b\.?"
)
_TITLES = rf"(?:{_TITLE}[ ]){{1,3}}"
_CALLED = (
    r"(?i:\bmy (?:full |first |last |sur|given )?name(?:[ ]is|['’]s)|\bi am called|\bthe name is"
    r"|\b(?:account|card|policy)[ ]?holder(?:['’]s name|[ ]name)?(?:[ ]is|:)|\bin the name of"
    r"|\bon behalf of|\b(?:full |first |last |sur)?name(?: on (?:the )?(?:card|account))?[ ]?:"
    r"|\bmein name ist|\bich hei(?:ß|ss)e|\b(?:vor|nach)?name[ ]?:|\bauf den namen"
    r"|\b(?:konto|karten)inhaber(?:in)?(?:[ ]ist|:)|\bje m['’]appelle|\bmon nom est|\bau nom de"
    r"|\bnom[ ]?:|\bme llamo|\bmi nombre es|\ba nombre de|\bnombre[ ]?:|\bmi chiamo"
    r"|\bil mio nome è|\bmijn naam is|\bik heet|\bo?[ ]?meu nome é|\bme chamo)"
)
_HELLO = (
    r"Hi|Hello|Hey|Dear|Good (?:morning|afternoon|evening|day)|Hallo|Guten (?:Tag|Morgen|Abend)"
    r"|Liebe[rs]?|Sehr geehrter?|Moin|Bonjour|Cher|Chère|Hola|Estimad[oa]|Querid[oa]|Ciao|Gentile"
    r"|Car[oa]|Geachte|Beste|Olá"
)
_BYE = (
    r"(?i:regards|wishes|sincerely|faithfully|gr(?:ü|ue)(?:ß|ss)en?|thanks|thank you|cheers|danke"
    r"|cordialement|saludos)"
)
SALUTATION = rf"(?:{_HELLO}),?[ ](?:{_TITLES})?"
"""What begins a message to somebody, up to the name."""
_LOWER = r"(?P<name>\p{Ll}[\p{L}\p{M}'’-]+(?:[ ]\p{Ll}[\p{L}\p{M}'’.-]*){1,3})"
_PATTERNS = (
    (regex.compile(rf"{_CALLED}[ ]+(?:{_TITLES})?{_NAME}"), _SURE),
    (regex.compile(rf"\b{_TITLES}{_NAME}"), _SURE),
    (regex.compile(rf"{_CALLED}[ ]+{_LOWER}[ ]?(?=[,.;!\n]|$|[ ](?:and|und|et|y)[ ])"), _LIKELY),
    (
        regex.compile(rf"(?m)(?:^|[.!?][ ])[ ]*{SALUTATION}{_NAME}[ ]?(?=[,!.\n–-]|$)"),
        _LIKELY,
    ),
    (
        regex.compile(rf"(?i:\bthis is|\bi am|\bi['’]m|\bhier ist|\bich bin)[ ]{_TWO_WORDS}"),
        _LIKELY,
    ),
    (regex.compile(rf"{_BYE}[ ]?,?\s{{1,3}}(?:{_TITLES})?{_NAME}\s*$"), _LIKELY),
)
_MONTH = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)\p{L}{0,7}\.?"
_NTH = r"(?:st|nd|rd|th|\.)?"
_DATE = (
    r"(?P<date>\d{1,4}[./ -]{1,2}\d{1,2}[./ -]{1,2}\d{2,4}"
    rf"|\d{{1,2}}{_NTH}(?: of)? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}{_NTH},? \d{{4}})"
)
_BORN = regex.compile(
    r"\b(?:born(?: on)?|dates? of birth|d\.?o\.?b\.?|birth ?da(?:y|te)|geboren(?: am)?|geburts"
    r"(?:datum|tag)|née? le|fecha de nacimiento|nacid[oa] el)(?: is| was| ist|:|\W){0,2}\s?"
    rf"{_DATE}",
    regex.IGNORECASE,
)
_NO_NAMES = """
    support team sir madam all everyone everybody there customer customers service services bank
    agent agents help helpdesk bot assistant chat again admin office people folks guys friend
    friends colleague colleagues damen herren kunde kundin kundenservice kundendienst zusammen
    alle leute lieferung sorry thanks thank please yes no ok okay urgent problem question issue
    order card account app premium the a my your this that it i you we they not still just very
    wrong misspelled misspelt spelled spelt incorrect missing different correct right shown printed
    changed too long short on in at for from to with of and or is was are an as by if no longer
    falsch anders nicht richtig auf der die das dem den mit bei von und noch zu so wie
    pas mal sur mon ma la le no está mal en el un una
"""
"""Words that stand where a name could and are none."""
_NO_NAME = frozenset(_NO_NAMES.split())
_SAYS = regex.compile(
    r"(?i:name|nom\b|nombre|naam|appelle|llamo|chiamo|hei(?:ß|ss)e|heet|chamo|called|holder|inhaber"
    r"|behalf)[^\n]{1,24}\p{L}{2}"
    rf"|{_BYE}[ ]?,?\s{{1,3}}\p{{Lu}}"
    r"|(?i:\bthis is|\bi am|\bi['’]m|\bhier ist|\bich bin)[ ]\p{Lu}"
    rf"|\b(?:{_HELLO}),?[ ]\p{{Lu}}|\b{_TITLE}[ ]\p{{Lu}}"
)
_SAYS_BIRTH = regex.compile(r"born|birth|d\.?o\.?b|geb|née?\b|naci", regex.IGNORECASE)


def find_said(text: str) -> list[Find]:
    """The names and dates of birth that a text says are some, in the order of their patterns."""
    finds = list(_names(text)) if may_say_name(text) else []
    if may_say_birth_date(text):
        for match in _BORN.finditer(text):
            start, end = match.span("date")
            finds.append(Find(start, end, Kind.BIRTH_DATE, _SURE))
    return finds


def may_say_name(text: str) -> bool:
    """Whether any of the words that announce a name is in a text, by a look."""
    return _SAYS.search(text) is not None


def may_say_birth_date(text: str) -> bool:
    """Whether any of the words that announce a date of birth is in a text, by a look."""
    return _SAYS_BIRTH.search(text) is not None


def _names(text: str) -> Iterator[Find]:
    for pattern, score in _PATTERNS:
        for match in pattern.finditer(text):
            words = regex.findall(r"[\p{L}\p{M}]+", match["name"].lower())
            if not _NO_NAME.intersection((words[0], words[-1])):
                start, end = match.span("name")
                yield Find(start, end, Kind.NAME, score)
