"""How figures are rounded for people: one rule, so that no two places contradict. Pure."""


def shown_difference(before: float, after: float, *, digits: int) -> float:
    """What a reader works out from two figures that are shown with so many digits."""
    return round(round(after, digits) - round(before, digits), digits) + 0.0  # no "-0.0"
