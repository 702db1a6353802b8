"""Which steps clean an assistant's examples, in their order."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from records.assistant import Assistant
from records.errors import ConfigurationError
from tuning.dataset.examples import TrainingExample
from tuning.dataset.options import DataOptions
from tuning.dataset.steps.boilerplate import boilerplate, keep_saying
from tuning.dataset.steps.language import check_languages, keep_languages, language_guess
from tuning.dataset.steps.length import keep_short
from tuning.dataset.steps.mail import mail_cleaner
from tuning.dataset.steps.personal_data import AnswersWithoutPersonalData, PersonalDataOut
from tuning.dataset.steps.repair import repair
from tuning.dataset.steps.step import ExampleStep
from tuning.dataset.steps.texts import with_texts
from tuning.dataset.steps.toxicity import keep_civil, toxicity
from tuning.dataset.steps.usable import keep_usable

T = TypeVar("T")


def example_steps(options: DataOptions, assistant: Assistant) -> list[ExampleStep]:
    """The steps in the order in which they run; build them once a process, they hold engines.

    Texts are repaired before anything is looked for in them. Personal data comes last: what an
    earlier step drops or takes away need not be searched, and placeholders confuse none of them.

    Raises:
        ConfigurationError: a pattern or a language of the options cannot be used.
    """
    marker = assistant.handoff_marker
    steps = [
        ExampleStep(
            "text repaired",
            partial(_change, change=partial(repair, html=options.html), marker=marker),
        ),
        ExampleStep(
            "signatures and quoted mail",
            partial(_change, change=_pattern(mail_cleaner, options.signatures), marker=marker),
        ),
        ExampleStep("without question or answer", keep_usable),
        ExampleStep(
            "answers that say nothing",
            partial(keep_saying, says_nothing=_pattern(boilerplate, options.boilerplate)),
        ),
        ExampleStep("too long", partial(keep_short, longest=options.longest_characters)),
        ExampleStep("toxic answers", partial(keep_civil, is_toxic=toxicity(options.toxic_words))),
    ]
    if options.languages:
        check_languages(options.languages)
        kept = partial(keep_languages, guess=language_guess(), wanted=options.languages)
        steps.append(ExampleStep("other languages", kept))
    if options.personal_data.replace:
        conceal = PersonalDataOut(options.personal_data, assistant)
        answers = AnswersWithoutPersonalData(options.personal_data, assistant)
        steps.append(ExampleStep("personal data", conceal))
        steps.append(ExampleStep("personal data in answers", answers))
    return steps


def _change(
    example: TrainingExample, *, change: Callable[[str], str], marker: str
) -> TrainingExample:
    return with_texts(example, change, marker=marker)


def _pattern(build: Callable[[tuple[str, ...]], T], patterns: tuple[str, ...]) -> T:
    try:
        return build(patterns)
    except ValueError as error:
        raise ConfigurationError(
            f"A pattern of the assistant's data cannot be used: {error}."
        ) from error
