"""Rules for what can be chosen, and for the question whether one is sure."""

from typing import Any

from bot.standin.block_rules.texts import Json, Problems, items, known, listed, one_of, string, text

_MOST_IN_GROUPS = 100


def options(element: Json, most: int, *, plain: bool, with_url: bool = False) -> Problems:
    """The options of an element, and that what is chosen at first is one of them."""
    given = element.get("options")
    yield from listed(given, "options", 1, most)
    yield from _each(given, plain=plain, with_url=with_url)
    yield from _initial(element, items(given))


def options_or_groups(element: Json) -> Problems:
    """The options of a menu, which may stand in groups."""
    groups = element.get("option_groups")
    if groups is None:
        yield from options(element, _MOST_IN_GROUPS, plain=True)
        return
    if element.get("options") is not None:
        yield "options and option_groups cannot both be given"
    yield from listed(groups, "option_groups", 1, _MOST_IN_GROUPS)
    inside: list[Any] = []
    for group in items(groups):
        if not isinstance(group, dict):
            yield "an option group must be an object"
            continue
        yield from text(group, "label", 75, plain=True)
        yield from listed(group.get("options"), "options", 1, _MOST_IN_GROUPS)
        yield from _each(group.get("options"), plain=True)
        inside += items(group.get("options"))
    yield from _initial(element, inside)


def _each(given: Any, *, plain: bool, with_url: bool = False) -> Problems:
    for option in items(given):
        if not isinstance(option, dict):
            yield "an option must be an object"
            continue
        more = ("url",) if with_url else ()
        yield from known(option, "text", "value", "description", *more)
        yield from text(option, "text", 75, plain=plain)
        yield from string(option, "value", 150)
        yield from text(option, "description", 75, required=False, plain=plain)
        yield from string(option, "url", 3000, required=False)


def _initial(element: Json, offered: list[Any]) -> Problems:
    one, several = element.get("initial_option"), element.get("initial_options")
    if one is not None and one not in offered:
        yield "initial_option must be one of the options"
    if several is not None and (not several or any(o not in offered for o in items(several))):
        yield "initial_options must be some of the options"


def confirm(element: Json) -> Problems:
    """The question whether one is sure."""
    given = element.get("confirm")
    if given is None:
        return
    if not isinstance(given, dict):
        yield "confirm must be an object"
        return
    yield from known(given, "title", "text", "confirm", "deny", "style")
    yield from text(given, "title", 100, plain=True)
    yield from text(given, "text", 300)
    yield from text(given, "confirm", 30, plain=True)
    yield from text(given, "deny", 30, plain=True)
    yield from one_of(given, "style", "primary", "danger")
