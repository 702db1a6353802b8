"""An explanation of an answer, worded for people. Pure."""

from typing import Any


def in_words(found: dict[str, Any]) -> str:
    """What `records.lineage.explain` found, as lines for a terminal."""
    lines = [
        *_turn(found["turn"]),
        *_escalation(found["escalation"]),
        *[f"Flagged by {f['by']}: {f['reason'] or 'no reason'}" for f in found["flags"]],
        *_version(found["version"]),
        *_dataset(found["dataset"]),
    ]
    return "\n".join(lines)


def _turn(turn: dict[str, Any]) -> list[str]:
    logprob = turn["mean_logprob"]
    return [
        f"{turn['id']} at {turn['at']} ({turn['status']})",
        f"Asked:    {turn['asked']}",
        f"Answered: {turn['answered']}",
        f"By:       {turn['version'] or 'a fixed sentence, no model'}"
        + (f", arm {turn['arm']} of {turn['experiment']}" if turn["arm"] else ""),
        f"Took:     {turn['duration_ms'] or 0:.0f} ms, {turn['completion_tokens'] or 0} tokens"
        + (f", mean log-probability {logprob:.3f} nats" if logprob is not None else ""),
    ]


def _escalation(escalation: dict[str, Any] | None) -> list[str]:
    if escalation is None:
        return []
    return [f"Handed over ({escalation['reason']}, {escalation['state']}): {escalation['cause']}"]


def _version(version: dict[str, Any] | None) -> list[str]:
    if version is None:
        return []
    trained = f"trained from {version['parent']}" if version["parent"] else "the bare base model"
    return [
        f"Version {version['id']}: {version['state']}, {trained}, base {version['base_model']}",
        f"  verdict {version['verdict'] or '-'} (report {version['report_id'] or '-'})",
        *[f"  {r['action']} by {r['by']} at {r['at']}" for r in version["releases"]],
    ]


def _dataset(dataset: dict[str, Any] | None) -> list[str]:
    if dataset is None:
        return []
    counts = ", ".join(f"{n} {source}" for source, n in dataset["examples_by_source"].items())
    lines = [f"Dataset {dataset['id']}: {counts}", "  Examples most like the question:"]
    for example in dataset["nearest_examples"]:
        lines.append(f"  {example['likeness']:.2f}  {example['question']}")
        lines.append(f"        → {example['chosen']}")
        lines.append(
            f"        {example['id']}: {example['source']} by {example['created_by']}, "
            f"approved by {example['approved_by']}"
        )
    return lines
