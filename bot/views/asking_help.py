"""How to ask the assistant in Slack, with a choice of versions."""

from collections.abc import Sequence

from slack_sdk.models.blocks import (
    Block,
    Option,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)

from bot import wording
from bot.text import cut, literal
from bot.views.content import Content, content, line, ours
from bot.views.version_names import BY_ID, VersionNames

_MOST_OPTIONS = 100
_OPTION = 75


def help_message(
    assistants: Sequence[str],
    versions: Sequence[str],
    *,
    champions: Sequence[str],
    compared: tuple[str, str] | None,
    opening: bool,
    names: VersionNames = BY_ID,
) -> Content:
    """How to ask, and a choice of versions; `opening` greets who has not written yet.

    `compared` are two different versions of one assistant, for an example that can be copied.
    """
    greeting = wording.asking.OPENING.format(assistants=wording.asking.AND.join(assistants))
    blocks: list[Block] = []
    if opening:
        blocks.append(line(greeting))
    blocks.append(line("\n".join(_ways(assistants, versions, compared, names))))
    if versions:
        blocks.append(_picker(versions, champions=champions, names=names))
    return content(wording.asking.HELP_TITLE, blocks)


def _ways(
    assistants: Sequence[str],
    versions: Sequence[str],
    compared: tuple[str, str] | None,
    names: VersionNames,
) -> list[str]:
    """The ways to ask that there are here and now."""
    words = wording.asking
    written = names.numbers if len(assistants) == 1 else {}  # of several, a number names several
    example = versions[0] if versions else f"{assistants[0]}-base"
    ways = [words.HELP.format(example=written.get(example, example))]
    if compared is not None:
        first, second = (written.get(version, version) for version in compared)
        ways.append(words.HELP_COMPARE.format(first=first, second=second))
    ways.append(words.HELP_MENTION)
    if len(assistants) > 1:
        ways.append(words.HELP_ASSISTANTS.format(assistant=assistants[0]))
    return ways


def _picker(versions: Sequence[str], *, champions: Sequence[str], names: VersionNames) -> Block:
    options = [
        _option(version, names.first(version), is_champion=version in champions)
        for version in versions
    ]
    return SectionBlock(
        block_id="pick",
        text=ours(wording.asking.PICK),
        accessory=StaticSelectElement(
            action_id="pick_version",
            placeholder=PlainTextObject(text=wording.asking.PICK_PLACEHOLDER),
            options=options[:_MOST_OPTIONS],
        ),
    )


def _option(version: str, label: str, *, is_champion: bool) -> Option:
    label = wording.asking.CHAMPION.format(version=label) if is_champion else label
    return Option(value=version[:_OPTION], text=PlainTextObject(text=cut(label, _OPTION)))


def picked_message(version: str, *, names: VersionNames = BY_ID) -> Content:
    """The head of a thread in which one version answers."""
    sentence = wording.asking.PICKED.format(version=literal(names.first(version)))
    return content(sentence, [line(sentence)])
