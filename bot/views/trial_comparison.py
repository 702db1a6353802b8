"""Two answers to be judged without knowing whose they are, and a question without an answer."""

from dataclasses import dataclass

from bot import wording
from bot.text import literal, who
from bot.views.content import Button, Content, buttons, content, line, small
from bot.views.version_names import BY_ID, VersionNames
from records.judgements import Better
from records.tables import Turn


@dataclass(frozen=True, slots=True)
class ComparisonShown:
    """Two answers to be judged, by the id of the first one's question."""

    question: str
    versions: tuple[str, str]
    blind: bool
    same: bool = False
    """Whether both said the same."""
    better: Better | None = None
    judged_by: str = ""
    names: VersionNames = BY_ID


def comparison_message(shown: ComparisonShown) -> Content:
    """Which of two answers is better: the choices, or what was chosen."""
    first, second = (literal(shown.names.full(version)) for version in shown.versions)
    if shown.better is not None:
        verdict = _verdict(shown.better, first, second, by=who(shown.judged_by))
        note = wording.asking.JUDGED_NOTE.format(first=first, second=second)
        return content(verdict, [line(verdict), small(note)])
    if shown.same:
        return content(wording.asking.COMPARE_SAME, [line(wording.asking.COMPARE_SAME)])
    sentence = wording.asking.COMPARE
    if not shown.blind:
        gave = [literal(shown.names.first(version)) for version in shown.versions]
        sentence = wording.asking.COMPARE_KNOWN.format(first=gave[0], second=second)
    choices = [
        Button(label, f"judge_{better}", shown.question)
        for better, label in wording.asking.JUDGEMENTS.items()
    ]
    return content(sentence, [line(sentence), buttons("compare", *choices)])


def _verdict(better: Better, first: str, second: str, *, by: str) -> str:
    if better is Better.BOTH_GOOD:
        return wording.asking.JUDGED_BOTH_GOOD.format(first=first, second=second, who=by)
    if better is Better.BOTH_BAD:
        return wording.asking.JUDGED_BOTH_BAD.format(first=first, second=second, who=by)
    if better is Better.SECOND:
        first, second = second, first
    return wording.asking.JUDGED_BETTER.format(better=first, worse=second, who=by)


def unanswered_message(
    question: Turn, *, reason: str, number: int | None = None, again_by: str | None = None
) -> Content:
    """A question was not answered: why, and *Ask again*."""
    asker = who(question.author or "")
    sentence = wording.asking.UNANSWERED.format(who=asker, reason=literal(reason, 500))
    if number is not None:
        title = wording.asking.TITLE.format(number=number)
        sentence = wording.asking.UNANSWERED_TITLED.format(
            who=asker, title=title, reason=literal(reason, 500)
        )
    again = Button(wording.asking.ASK_AGAIN, "ask_again", question.id)
    end = (
        small(wording.asking.ASKED_AGAIN.format(who=who(again_by)))
        if again_by
        else buttons("unanswered", again)
    )
    return content(sentence, [line(sentence), end])
