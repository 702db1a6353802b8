"""Presidio's engine without a model: it needs no download and asks no network. Loads presidio."""

from collections.abc import Sequence

import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine

from records.patterns import Pattern
from tuning.dataset.personal_data.recognisers import LANGUAGE, registry


class _Words(SpacyNlpEngine):  # type: ignore[misc]  # presidio has no types
    """Splits a text into words and nothing else; their lemmas are the words in lower case."""

    def load(self) -> None:
        """Make the splitter; presidio would download a model here."""
        self.nlp = {LANGUAGE: spacy.blank(LANGUAGE)}

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The words of a text, by which presidio finds what is said before a number."""
        words = self.nlp[language].make_doc(text)
        for word in words:
            word.lemma_ = word.lower_
        return self._doc_to_nlp_artifact(words, language)


def build_engine(patterns: Sequence[tuple[str, Pattern]]) -> AnalyzerEngine:
    """The engine with all recognisers; building it takes seconds, so once a process.

    Context counts by whole words: "tel" is no part of a hotel.
    """
    return AnalyzerEngine(
        registry=registry(patterns),
        nlp_engine=_Words(),
        supported_languages=[LANGUAGE],
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )
