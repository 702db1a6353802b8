"""The report in words: figures, the table's rows, and report.md. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.search_wording import alt_text as search_alt_text
from evaluation.search_wording import sentences, to_keep, trial_rows
from records.rounding import shown_difference

_POINTS = ("not_served_right", "right_answer_rate")
"""Metrics said in per cent and points, like all whose name ends in _rate, _precision, _recall."""

Row = tuple[str, ...]


def title(body: Mapping[str, Any]) -> str:
    """What the report is about."""
    if body["champion"] is None:
        return f"{body['challenger']} on {body['cases']['count']} cases"
    return f"{body['verdict']}: {body['challenger']} against {body['champion']}"


def with_alt_text(body: dict[str, Any]) -> dict[str, Any]:
    """The report with what its plot shows in words."""
    return {**body, "alt_text": alt_text(body)}


def alt_text(body: Mapping[str, Any]) -> str:
    """The plot in a sentence, for those who can't see it."""
    overall = body["metrics"][0]
    rows = [{**overall, "name": "all"}, *body["slices"]]
    sides = [side for side in ("champion", "challenger") if body[side]]
    said = [
        f"{row['name']} {' → '.join(estimate(row[side], share=True) for side in sides)}"
        for row in rows
    ]
    return f"{overall['label']}, {' → '.join(body[side] for side in sides)}: {'; '.join(said)}."


def metric_rows(body: Mapping[str, Any]) -> list[Row]:
    """The table of metrics, its heading first."""
    rows = [_heading(body, "Metric")]
    for metric in body["metrics"]:
        share = _is_share(metric["name"])
        arrow = {"lower": " (less is better)", "higher": "", "neither": " (neither way)"}
        rows.append(_row(metric["label"] + arrow[metric["better"]], metric, share=share))
    return rows


def slice_rows_of(body: Mapping[str, Any]) -> list[Row]:
    """The table of slices on the primary metric, its heading first; empty without slices."""
    if not body["slices"]:
        return []
    return [
        _heading(body, "Not served right, by slice"),
        *(
            _row(f"{entry['name']} ({entry['cases']} cases)", entry, share=True)
            for entry in body["slices"]
        ),
    ]


def notes(body: Mapping[str, Any]) -> list[str]:
    """What a reader must know beside the figures."""
    said = []
    cases = body["cases"]
    if body["champion"] is not None and body["slices"]:
        said.append(
            "The tables' intervals are two-sided. A slice is judged by a one-sided bound, which "
            "lies within them."
        )
    if body.get("forgetting"):
        said.append(_old_skills(body["forgetting"]))
    if cases["trained_on"]:
        said.append(f"{cases['trained_on']} cases were left out: a version was trained on them.")
    if cases["unusable_lines"]:
        said.append(f"{len(cases['unusable_lines'])} lines of the cases file could not be used.")
    for version, answers in body["answers"].items():
        counted = {
            "refused by the engine": answers["refused"],
            "cut off at the token limit": answers["truncated"],
            "with a misplaced handoff marker": answers["marker_unclean"],
        }
        wrong = ", ".join(f"{count} {what}" for what, count in counted.items() if count)
        if wrong:
            said.append(f"Answers of {version}: {wrong}.")
    undefined = {
        f"{metric['label']}: {note}"
        for metric in body["metrics"]
        for side in ("champion", "challenger", "difference")
        if metric[side] is not None and (note := metric[side]["note"])
    }
    return said + sorted(undefined)


def _old_skills(forgetting: Mapping[str, Any]) -> str:
    left_out = forgetting["left_out"]
    without = f"; {left_out} more were trained on, or are cases anyway" if left_out else ""
    return (
        f"Old skills: {forgetting['cases']} questions of {forgetting['source']}, whose answers "
        f"customers accepted or the assistant's file names{without}. Those that are not answered "
        "so any more stand in report.json, under `forgetting`."
    )


def changed(changes: Mapping[str, Any]) -> str:
    """How many answers changed, and how."""
    return ", ".join(f"{changes[kind]} {kind}" for kind in ("fixed", "broken", "reworded"))


def markdown(body: Mapping[str, Any]) -> str:
    """report.md: the verdict and why first, then the figures, examples and where it came from."""
    parts = [f"# {title(body)}", *_bulleted([*body["reasons"], *body["settle"]])]
    parts += _table(metric_rows(body))
    parts += _table(slice_rows_of(body))
    parts += _bulleted(notes(body))
    parts += _examples(body["changes"])
    parts += _search(body.get("search"))
    parts += _origin(body)
    return "\n".join(parts).rstrip() + "\n"


def estimate(entry: Mapping[str, Any] | None, *, share: bool) -> str:
    """An estimate with its interval, such as `24.1 % [21.5, 26.9]`."""
    if entry is None or entry["value"] is None:
        return "–"
    unit = " %" if share else ""
    return _worded(entry["value"], share=share) + unit + _interval(entry, share=share)


def difference(row: Mapping[str, Any], *, share: bool) -> str:
    """How the challenger differs, such as `-3.4 points [-5.2, -1.6]`: what the shown figures do."""
    entry, before, after = row["difference"], row["champion"]["value"], row["challenger"]["value"]
    if entry["value"] is None or before is None or after is None:
        return "–"
    factor, digits = _scale(share=share)
    change = shown_difference(factor * before, factor * after, digits=digits)
    unit = " points" if share else ""
    return f"{change:+.{digits}f}{unit}{_interval(entry, share=share, plus='+')}"


def _scale(*, share: bool) -> tuple[int, int]:
    """What a figure is multiplied with, and its digits."""
    return (100, 1) if share else (1, 3)


def _worded(number: float, *, share: bool, plus: str = "") -> str:
    factor, digits = _scale(share=share)
    return f"{round(number * factor, digits) + 0.0:{plus}.{digits}f}"


def _interval(entry: Mapping[str, Any], *, share: bool, plus: str = "") -> str:
    if entry["low"] is None:
        return ""
    low, high = (_worded(entry[end], share=share, plus=plus) for end in ("low", "high"))
    return f" [{low}, {high}]"


def _is_share(name: str) -> bool:
    return name in _POINTS or name.endswith(("_rate", "_precision", "_recall"))


def _heading(body: Mapping[str, Any], first: str) -> Row:
    if body["champion"] is None:
        return (first, body["challenger"])
    return (first, body["champion"], body["challenger"], "Difference")


def _row(label: str, entry: Mapping[str, Any], *, share: bool) -> Row:
    after = estimate(entry["challenger"], share=share)
    if entry["champion"] is None:
        return (label, after)
    before = estimate(entry["champion"], share=share)
    return (label, before, after, difference(entry, share=share))


def _bulleted(lines: Sequence[str]) -> list[str]:
    return ["", *(f"- {line}" for line in lines)] if lines else []


def _table(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    rule = "| --- |" + " ---: |" * (len(rows[0]) - 1)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return ["", lines[0], rule, *lines[1:]]


def _examples(changes: Mapping[str, Any]) -> list[str]:
    if not changes["shown"]:
        return []
    if changes["fixed"] is None:
        heading = "## Answers that did not serve the customer"
    else:
        heading = f"## Changed answers: {changed(changes)}"
    lines = ["", heading]
    for change in changes["shown"]:
        wanted = "a person" if change["should_escalate"] else change["reference"]
        lines += ["", f"**{change['kind']}** “{_line(change['question'])}”"]
        if change["champion"] is None:
            lines.append(f"- answer: {_said(change['challenger'])}")
        else:
            lines.append(f"- champion: {_said(change['champion'])}")
            lines.append(f"- challenger: {_said(change['challenger'])}")
        lines.append(f"- right: {_line(wanted)}")
    return lines


def _search(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return []
    keep = to_keep(found)
    return [
        "",
        "## How the recipe was found",
        *_bulleted([*sentences(found), *([keep] if keep else [])]),
        *_table(trial_rows(found)),
        "",
        f"![{search_alt_text(found)}](search.png)",
    ]


def _said(answer: Mapping[str, Any]) -> str:
    text = _line(answer["text"]) or "(nothing)"
    return f"*handed over* {text}" if answer["escalated"] else text


def _line(text: str) -> str:
    return " ".join(text.split())


def _origin(body: Mapping[str, Any]) -> list[str]:
    lines = ["", "## Where it came from"]
    for version, origin in body["lineage"].items():
        adapter = origin["adapter_path"] or "no adapter"
        dataset = origin["dataset_id"] or "no dataset"
        base = origin["base_hash"][:12]
        lines.append(f"- {version}: {adapter}, {dataset}, base {base}")
    cases = body["cases"]
    lines.append(f"- cases: {cases['count']}, {cases['hash'][:12]}")
    lines += ["", f"Again: `{body['command']}`"]
    return lines
