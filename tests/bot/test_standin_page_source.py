"""What the source of the stand-in's page must hold, seen without a browser."""

import re
from pathlib import Path

from bot.standin.pages import FOLDER

BOT = Path(__file__).parents[2] / "bot"
CODE = re.compile(r"(?<![\w:]):([a-z][a-z0-9_+-]+):(?![\w:])")


def test_every_short_code_of_the_bots_words_is_known() -> None:
    known = set(re.findall(r"(?:^|[|`\n])([a-z0-9_+-]+) \S", (FOLDER / "emoji.js").read_text()))
    written = [*BOT.glob("wording/*.py"), *BOT.glob("views/*.py"), *BOT.glob("messages/*.py")]
    used = {code for path in written for code in CODE.findall(path.read_text())}
    assert {"rocket", "hourglass_flowing_sand"} <= used
    assert used - known == set()


def test_no_words_are_ever_read_as_markup_or_as_code() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\("
    )
    scripts = list(FOLDER.glob("*.js"))
    assert len(scripts) > 20
    assert [path.name for path in scripts if forbidden.search(path.read_text())] == []


def test_the_page_asks_nothing_of_the_net() -> None:
    for path in FOLDER.iterdir():
        assert not re.search(r"""(?:src|href|url|from|import)\W{1,3}https?://""", path.read_text())
