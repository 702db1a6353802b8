"""Our own ways to find personal data as presidio's recognisers. Loads presidio: import it late."""

from collections.abc import Callable, Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import (
    CryptoRecognizer,
    EsNieRecognizer,
    EsNifRecognizer,
    ItFiscalCodeRecognizer,
    MacAddressRecognizer,
    UkNinoRecognizer,
)

from records.patterns import Pattern
from records.personal_data import PersonalData, find
from records.plain_letters import plain_letters
from tuning.dataset.personal_data.kinds import Find, Kind
from tuning.dataset.personal_data.said import find_said
from tuning.dataset.personal_data.web_addresses import find_web_addresses

LANGUAGE = "en"
"""Presidio wants one; ours and the chosen ones look for forms, which belong to none."""
_OURS = {
    PersonalData.EMAIL: (Kind.EMAIL, 0.95),
    PersonalData.IBAN: (Kind.IBAN, 1.0),
    PersonalData.CARD: (Kind.CARD, 1.0),
    PersonalData.SOCIAL_SECURITY: (Kind.SOCIAL_SECURITY, 0.85),
    PersonalData.IP_ADDRESS: (Kind.IP_ADDRESS, 0.8),
    PersonalData.PHONE: (Kind.PHONE, 0.7),
}
"""What `records.personal_data` finds, and how sure that is: check digits are certain."""
_PRESIDIOS: dict[type[Any], Kind] = {
    CryptoRecognizer: Kind.CRYPTO,
    MacAddressRecognizer: Kind.MAC_ADDRESS,
    UkNinoRecognizer: Kind.NATIONAL_ID,
    EsNifRecognizer: Kind.NATIONAL_ID,
    EsNieRecognizer: Kind.NATIONAL_ID,
    ItFiscalCodeRecognizer: Kind.NATIONAL_ID,
}
"""Those of presidio's recognisers that are strict enough for any text.

Its others for e-mail, phone, card, IBAN, social security and URL find less of what people write and
more of what is none: see `python -m benchmarks.tuning.personal_data --presidio`.
"""


def registry(patterns: Sequence[tuple[str, Pattern]]) -> RecognizerRegistry:
    """All recognisers: ours, presidio's strict ones, and one for each pattern of a team's own."""
    ours = [
        _Recogniser([kind for kind, _ in _OURS.values()], _find_forms),
        _Recogniser([Kind.NAME, Kind.BIRTH_DATE], _as_read(find_said)),
        _Recogniser([Kind.URL], _as_read(find_web_addresses)),
    ]
    theirs = [
        recogniser(supported_language=LANGUAGE, supported_entity=str(kind))
        for recogniser, kind in _PRESIDIOS.items()
    ]
    own = [_Recogniser([name], _finder(name, pattern)) for name, pattern in patterns]
    return RecognizerRegistry(recognizers=[*ours, *theirs, *own], supported_languages=[LANGUAGE])


class _Recogniser(EntityRecognizer):  # type: ignore[misc]  # presidio has no types
    """Finds with a function of our own."""

    def __init__(self, kinds: Sequence[str], find: Callable[[str], list[Find]]) -> None:
        """Take part in analyses for these types."""
        super().__init__(
            supported_entities=[str(kind) for kind in kinds],
            supported_language=LANGUAGE,
            name=f"Understudy {', '.join(kinds)}",
        )
        self._find = find

    def load(self) -> None:
        """Nothing has to be loaded."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """What of the wanted types is in a text."""
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return [
            RecognizerResult(
                str(one.kind), one.start, one.end, one.score, recognition_metadata=metadata
            )
            for one in self._find(text)
            if one.kind in entities
        ]


def _find_forms(text: str) -> list[Find]:
    return [Find(one.start, one.end, *_OURS[one.kind]) for one in find(text)]


def _as_read(find: Callable[[str], list[Find]]) -> Callable[[str], list[Find]]:
    """Finding in the text as a person reads it: what is invisible parts no word."""

    def find_as_read(text: str) -> list[Find]:
        plain, places = plain_letters(text)
        return [
            Find(places[one.start], places[one.end - 1] + 1, one.kind, one.score)
            for one in find(plain)
        ]

    return find_as_read


def _finder(name: str, pattern: Pattern) -> Callable[[str], list[Find]]:
    def find_own(text: str) -> list[Find]:
        try:
            spans = pattern.spans(text)
        except TimeoutError:
            spans = [(0, len(text))]  # what cannot be searched in time could be anything
        return [Find(start, end, name, 1.0) for start, end in spans]

    return find_own
