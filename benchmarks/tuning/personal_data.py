"""How much personal data is found, how much of what is found is some, and how fast.

    python -m benchmarks.tuning.personal_data [--texts 2000] [--seed 1] [--presidio] [--misses 20]

Prints a table for texts as people write them and one for texts that hide it. A find counts if it
has the right type, all letters and digits of what is known, and at most two more; `leaked` is the
share of which some letter or digit is in no find of any type, so that it would be trained on.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.tuning.personal_data_texts import Known, adversarial_texts, usual_texts
from tuning.dataset.options import PersonalDataOptions
from tuning.dataset.personal_data.finder import Finder
from tuning.dataset.personal_data.kinds import Find, Kind

_MORE = 2
"""Letters or digits that a find may have beside what is known."""
FindAll = Callable[[str], Sequence[Find]]


@dataclass
class Counts:
    """What was found of one type."""

    known: int = 0
    right: int = 0
    found: int = 0
    leaked: int = 0
    wrong: list[str] = field(default_factory=list)
    """What was missed or found wrongly, for whoever looks into it."""

    @property
    def recall(self) -> float:
        """Share of what is known that was found; 1 where nothing is known."""
        return self.right / self.known if self.known else 1.0

    @property
    def precision(self) -> float:
        """Share of what was found that is known; 1 where nothing was found."""
        return self.right / self.found if self.found else 1.0


def measure(texts: Iterable[Known], find: FindAll) -> dict[str, Counts]:
    """Counts by type."""
    counts: dict[str, Counts] = defaultdict(Counts)
    for known in texts:
        _count(known, find(known.text), counts)
    return counts


def _count(known: Known, finds: Sequence[Find], counts: dict[str, Counts]) -> None:
    covered = set().union(*(_letters(known.text, find.start, find.end) for find in finds))
    left = list(finds)
    for start, end, kind in known.spans:
        of_kind, letters = counts[kind], _letters(known.text, start, end)
        of_kind.known += 1
        of_kind.leaked += not letters <= covered
        right = next((f for f in left if f.kind == kind and _fits(known.text, f, letters)), None)
        if right is None:
            of_kind.wrong.append(f"missed {known.text[start:end]!r} in {known.text!r}")
            continue
        of_kind.right += 1
        of_kind.found += 1
        left.remove(right)
    for find in left:
        counts[find.kind].found += 1
        counts[find.kind].wrong.append(
            f"found {known.text[find.start : find.end]!r} in {known.text!r}"
        )


def _letters(text: str, start: int, end: int) -> set[int]:
    return {at for at in range(start, end) if text[at].isalnum()}


def _fits(text: str, find: Find, letters: set[int]) -> bool:
    found = _letters(text, find.start, find.end)
    return letters <= found and len(found - letters) <= _MORE


def table(title: str, counts: dict[str, Counts]) -> str:
    """The counts as lines."""
    lines = [f"{title:<18}  known  recall  precision  leaked"]
    for kind in [*Kind, *sorted(set(counts) - set(Kind))]:
        if kind in counts:
            one = counts[kind]
            leaked = one.leaked / one.known if one.known else 0.0
            rates = f"{one.recall:6.3f}  {one.precision:9.3f}  {leaked:6.3f}"
            lines.append(f"  {kind:<16}  {one.known:5}  {rates}")
    return "\n".join(lines)


def presidios_own() -> FindAll:
    """Presidio with its own recognisers for the same types, without a model.

    It knows no top-level domain `example`, so it must miss a part of the e-mail addresses and URLs.
    """
    import tldextract
    from presidio_analyzer import RecognizerRegistry, predefined_recognizers

    from tuning.dataset.personal_data import engine, recognisers

    names = {
        "EmailRecognizer": Kind.EMAIL,
        "PhoneRecognizer": Kind.PHONE,
        "CreditCardRecognizer": Kind.CARD,
        "IbanRecognizer": Kind.IBAN,
        "UsSsnRecognizer": Kind.SOCIAL_SECURITY,
        "IpRecognizer": Kind.IP_ADDRESS,
        "MacAddressRecognizer": Kind.MAC_ADDRESS,
        "CryptoRecognizer": Kind.CRYPTO,
        "UrlRecognizer": Kind.URL,
        "UkNinoRecognizer": Kind.NATIONAL_ID,
        "EsNifRecognizer": Kind.NATIONAL_ID,
        "ItFiscalCodeRecognizer": Kind.NATIONAL_ID,
    }
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # no network
    built = engine.build_engine([])
    built.registry = RecognizerRegistry(
        recognizers=[
            getattr(predefined_recognizers, name)(
                supported_language=recognisers.LANGUAGE, supported_entity=str(kind)
            )
            for name, kind in names.items()
        ],
        supported_languages=[recognisers.LANGUAGE],
    )

    def find(text: str) -> list[Find]:
        from tuning.dataset.personal_data.overlaps import without_overlaps

        results = built.analyze(text, language=recognisers.LANGUAGE, score_threshold=0.35)
        return without_overlaps(Find(r.start, r.end, r.entity_type, r.score) for r in results)

    return find


def texts_per_second(texts: Sequence[str], find: FindAll) -> float:
    """Rate of one core, by its own time."""
    find(texts[0])
    began = time.process_time()
    for text in texts:
        find(text)
    return len(texts) / (time.process_time() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--presidio", action="store_true", help="beside presidio's recognisers")
    parser.add_argument("--misses", type=int, default=0, help="show so many mistakes of a type")
    given = parser.parse_args()
    finder = Finder(PersonalDataOptions()).find
    finds = {"": finder, **({"presidio's own, ": presidios_own()} if given.presidio else {})}
    usual = usual_texts(given.texts, seed=given.seed)
    for name, find in finds.items():
        find("warm up +49 170 1234567 a@b.example")
        for title, texts in (
            ("usual texts", usual),
            ("hidden", adversarial_texts(given.texts, seed=given.seed)),
        ):
            counts = measure(texts, find)
            print(table(f"{name}{title}", counts))
            for kind, one in counts.items():
                for wrong in one.wrong[: given.misses]:
                    print(f"      {kind}: {wrong}")
        plain = [known.text for known in usual if not any(map(str.isdigit, known.text))]
        rates = [texts_per_second(some, find) for some in ([k.text for k in usual], plain)]
        print(
            f"{name}texts a second and core: {rates[0]:,.0f} of these, "
            f"{rates[1]:,.0f} of those without a digit\n"
        )
    print("texts by number of spans:", dict(sorted(Counter(len(k.spans) for k in usual).items())))


if __name__ == "__main__":
    main()
