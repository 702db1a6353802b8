"""Test cases must never be trained on: the check, and what happens on contact. Pure."""

from collections.abc import Mapping, Sequence

from records.errors import LeakedCases
from tuning.dataset.clean import Step
from tuning.dataset.examples import TrainingExample
from tuning.training.recipe import OnLeak

NAME = "test cases"
_NAMED = 5


def keep_cases_out(
    examples: Sequence[TrainingExample], case_lines: Mapping[str, int], *, on_leak: OnLeak
) -> Step:
    """Find examples whose prompt is a test case's (`case_lines`: prompt key → line of the file).

    Accepted answers are left out without ado: nobody chose them. A correction was chosen and
    approved by people, so by default the run is refused until a person has looked.

    Raises:
        LeakedCases: approved corrections are test cases, and `on_leak` refuses them.
    """
    kept: list[TrainingExample] = []
    leaked: list[TrainingExample] = []
    for example in examples:
        (leaked if example.prompt_key in case_lines else kept).append(example)
    chosen = [example for example in leaked if not example.is_replay]
    if chosen and on_leak is OnLeak.REFUSE:
        raise LeakedCases(_sentence(chosen, case_lines))
    return Step(NAME, kept, leaked)


def _sentence(leaked: Sequence[TrainingExample], case_lines: Mapping[str, int]) -> str:
    lines = sorted({case_lines[example.prompt_key] for example in leaked})
    named = ", ".join(str(line) for line in lines[:_NAMED])
    more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    return (
        f"{len(leaked)} approved example(s) are test cases (line {named}{more} of the cases file; "
        f"first: {leaked[0].id}). Training on them would make the evaluation worthless. Remove "
        "these lines from the cases file, or leave the examples out with --set on_leak=drop."
    )
