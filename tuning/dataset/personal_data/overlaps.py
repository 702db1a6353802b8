"""Which find counts where several overlap. Pure.

The rule: finds that overlap are one. It takes every character that any of them has, so that nothing
of any is left over, and its type is that of the first in this order: a team's own pattern; the
longest; the surest; the first in the list of types.
"""

from collections.abc import Collection, Iterable

from tuning.dataset.personal_data.kinds import Find, Kind

_ORDER = {str(kind): at for at, kind in enumerate(Kind)}


def without_overlaps(finds: Iterable[Find], *, own: Collection[str] = ()) -> list[Find]:
    """The finds in their order in the text, each pair apart; `own` are a team's own types."""
    groups: list[list[Find]] = []
    end = -1
    for find in sorted(finds, key=lambda f: (f.start, f.end, f.kind)):
        if find.start < end:
            groups[-1].append(find)
        else:
            groups.append([find])
        end = max(end, find.end)
    return [_merged(group, own) for group in groups]


def _merged(group: list[Find], own: Collection[str]) -> Find:
    best = min(
        group,
        key=lambda f: (
            f.kind not in own,
            f.start - f.end,
            -f.score,
            _ORDER.get(f.kind, -1),
            f.kind,
        ),
    )
    return Find(group[0].start, max(find.end for find in group), best.kind, best.score)
