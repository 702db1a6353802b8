"""The frozen test cases as training sees them: what must not be trained on. Pure but for reading.

A prompt is a case where its normal form is, or where it is nearly the same as a case.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from evaluation.cases import Case, parse_cases, prompt_id
from records.assistant import Assistant
from records.errors import ConfigurationError
from records.messages import Message
from tuning.dataset.nearness import Asked, Bands, Hashes, asked, band_hashes, bands_for, nearly_same


@dataclass(frozen=True)
class Cases:
    """The prompts of a cases file, found by their likeness to others."""

    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of each case, by what identifies its prompt; below 0: of `forgetting_cases`."""
    prompts: Sequence[tuple[int, Asked]] = ()
    """The line of each case, and what is compared of its prompt."""
    least: float = 1.0
    """From which likeness on prompts are nearly the same."""

    def contact(self, prompts: Sequence[Sequence[Message]]) -> list[int | None]:
        """For each prompt the line of the case that it is, or nearly is: the first such line."""
        if not self.lines:
            return [None] * len(prompts)
        compared = [asked(prompt) for prompt in prompts]
        hashes = None if self._bands is None else band_hashes(compared, self._bands)
        return self.contact_of([prompt_id(prompt) for prompt in prompts], compared, hashes)

    def contact_of(
        self,
        keys: Sequence[str],
        compared: Sequence[Asked],
        hashes: Hashes | None,
    ) -> list[int | None]:
        """As `contact`, of prompts whose keys and hashes (of `bands_for(least)`) are known."""
        exact = [self.lines.get(key) for key in keys]
        if hashes is None or not self.lines:
            return exact
        return [
            found if found is not None else self._near(one, row)
            for found, one, row in zip(exact, compared, hashes.tolist(), strict=True)
        ]

    def _near(self, one: Asked, hashes: Sequence[int]) -> int | None:
        likely = {at for key in enumerate(hashes) for at in self._places.get(key, ())}
        for at in sorted(likely):
            line, case = self.prompts[at]
            if nearly_same(one, case, least=self.least):
                return line
        return None

    @cached_property
    def _bands(self) -> Bands | None:
        return bands_for(self.least)

    @cached_property
    def _places(self) -> dict[tuple[int, int], list[int]]:
        """Which cases have which hash in which band."""
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        if self._bands is not None:
            hashes = band_hashes([case for _, case in self.prompts], self._bands).tolist()
            for at, row in enumerate(hashes):
                for key in enumerate(row):
                    found[key].append(at)
        return dict(found)


def read_cases(assistant: Assistant, *, least: float) -> Cases:
    """The cases of an assistant, those of old skills too; none where it names no file.

    Lines of `forgetting_cases` count downwards from -1.

    Raises:
        ConfigurationError: a file is not there, or holds no case.
    """
    found = _numbered(assistant.cases)
    found += [(-number, case) for number, case in _numbered(assistant.forgetting_cases)]
    if not found:
        return Cases()
    return Cases(
        lines={case.id: number for number, case in reversed(found)},
        prompts=tuple((number, asked(case.messages)) for number, case in found),
        least=least,
    )


def _numbered(path: str | None) -> list[tuple[int, Case]]:
    """The cases of a file by the lines on which they stand."""
    if path is None:
        return []
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(f"The cases file {path} cannot be read.") from error
    found = [
        (number, case)
        for number, line in enumerate(lines, start=1)
        for case in parse_cases([line]).cases
    ]
    if not found:
        raise ConfigurationError(f"The cases file {path} holds no case.")
    return found
