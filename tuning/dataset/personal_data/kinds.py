"""What kinds of personal data are known, and one find of any of them. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The types that are found without being asked for; `data.personal_data.keep` names them."""

    EMAIL = "EMAIL"
    IBAN = "IBAN"
    CARD = "CARD"
    PHONE = "PHONE"
    SOCIAL_SECURITY = "SOCIAL_SECURITY"
    NATIONAL_ID = "NATIONAL_ID"
    """British NINO, Spanish NIF and NIE, Italian codice fiscale."""
    IP_ADDRESS = "IP_ADDRESS"
    MAC_ADDRESS = "MAC_ADDRESS"
    CRYPTO = "CRYPTO"
    """A wallet of Bitcoin."""
    URL = "URL"
    BIRTH_DATE = "BIRTH_DATE"
    """A date that is said to be one of birth."""
    NAME = "NAME"
    """Only where words before it say so, such as "my name is" or "Mrs"."""


@dataclass(frozen=True, slots=True)
class Find:
    """Where something stands in a text, from `start` up to `end`; its type; how sure that is."""

    start: int
    end: int
    kind: str
    """One of `Kind`, or the name of a team's own pattern."""
    score: float
    """0..1, compared with `data.personal_data.threshold`."""
