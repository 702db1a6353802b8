"""Test cases must never be trained on: what happens on contact."""

from collections.abc import Sequence

from records.errors import LeakedCases
from tuning.dataset.sheet import Sheet
from tuning.training.recipe import OnLeak

NAME = "test cases"
_NAMED = 5
_CHOSEN = "\"case\" IS NOT NULL AND source NOT IN ('accepted', 'declined')"


def keep_cases_out(sheet: Sheet, *, on_leak: OnLeak) -> None:
    """Drop examples whose prompt is a test case's, or nearly (`cases.Cases.contact`).

    What customers said is left out without ado: nobody chose it. A correction was chosen and
    approved by people, so by default the run is refused until a person has looked.

    Raises:
        LeakedCases: approved corrections are test cases, and `on_leak` refuses them.
    """
    if on_leak is OnLeak.REFUSE:
        _refuse(sheet)
    with sheet.step(NAME):
        sheet.drop(
            'SELECT n, NULL AS because, \'line \' || abs("case") || CASE WHEN "case" > 0 '
            "THEN ' of the cases file' ELSE ' of the forgetting cases' END AS why "
            'FROM live WHERE "case" IS NOT NULL'
        )


def _refuse(sheet: Sheet) -> None:
    leaked = sheet.count(_CHOSEN)
    if not leaked:
        return
    (first,) = sheet.one(f"SELECT min(id) FROM live WHERE {_CHOSEN}")  # noqa: S608 - ours
    lines = [
        line
        for (line,) in sheet.rows(
            f'SELECT DISTINCT "case" FROM live WHERE {_CHOSEN} ORDER BY 1'  # noqa: S608 - ours
        )
    ]
    files = {
        "cases file": [line for line in lines if line > 0],
        "forgetting cases": sorted(-line for line in lines if line < 0),
    }
    places = " and ".join(
        f"{_named(found)} of the {file}" for file, found in files.items() if found
    )
    raise LeakedCases(
        f"{leaked} approved example(s) are test cases, or nearly ({places}; first: {first}). "
        "Training on them would make the evaluation worthless. Remove these lines, or leave the "
        "examples out with --set on_leak=drop."
    )


def _named(lines: Sequence[int]) -> str:
    named = ", ".join(str(line) for line in lines[:_NAMED])
    more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    return f"line {named}{more}"
