"""How versions are named to people: by their place in the order in which they were made, and id."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot import wording


@dataclass(frozen=True, slots=True)
class VersionNames:
    """Names of the versions whose numbers are known; another one is named by its id alone."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    """By the versions' ids: see `records.versions.numbers`."""

    def full(self, version: str) -> str:
        """`version 3 (support-3f9c2a71d0e4)`: the number to talk of it, the id to paste."""
        return self._named(wording.releases.VERSION_FULL, version)

    def first(self, version: str) -> str:
        """The same as a sentence begins."""
        return self._named(wording.releases.VERSION_FULL_FIRST, version)

    def short(self, version: str) -> str:
        """`version 3`, where there is little room or the id stands nearby."""
        return self._named(wording.releases.VERSION_SHORT, version)

    def to_paste(self, version: str) -> str:
        """The full name in our own mrkdwn, with the id set apart."""
        return self.full(version).replace(version, f"`{version}`")

    def _named(self, words: str, version: str) -> str:
        number = self.numbers.get(version)
        return version if number is None else words.format(number=number, version=version)


BY_ID = VersionNames()
"""Names where no number is known."""
