"""A team's own types of personal data, and whether their names and patterns can be used. Pure."""

import re
from collections.abc import Collection, Mapping

from records.errors import ConfigurationError
from records.patterns import Pattern, pattern_of
from tuning.dataset.personal_data.kinds import Kind

_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,40}")


def own_patterns(patterns: Mapping[str, str]) -> dict[str, Pattern]:
    """A team's own types by name.

    Raises:
        ConfigurationError: a name that no placeholder can have or that is taken, or a pattern that
            is none or matches nothing at all.
    """
    read: dict[str, Pattern] = {}
    for name, pattern in patterns.items():
        where = f"The assistant's data.personal_data.patterns.{name}"
        if not _TYPE.fullmatch(name) or name in set(Kind):
            raise ConfigurationError(
                f"{where} needs another name: capital letters, digits and _, such as CUSTOMER_ID, "
                f"and none of {', '.join(Kind)}."
            )
        try:
            read[name] = pattern_of(pattern)
        except ValueError as error:
            raise ConfigurationError(f"{where} cannot be used: {error}.") from error
        if read[name].is_all_of(""):
            raise ConfigurationError(
                f"{where} also matches no words at all; write what it must hold, such as "
                r"'AB-\d{6}'."
            )
    return read


def check_kept(keep: Collection[str], own: Collection[str]) -> None:
    """Refuse a type to keep that is none.

    Raises:
        ConfigurationError: naming it, and those that there are.
    """
    unknown = sorted(set(keep) - {str(kind) for kind in Kind} - set(own))
    if unknown:
        raise ConfigurationError(
            f"The assistant's data.personal_data.keep names {', '.join(unknown)}; there are: "
            f"{', '.join([*Kind, *own])}."
        )
