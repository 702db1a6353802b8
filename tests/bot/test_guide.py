"""The guide for support teams: its pictures exist, and it names what there is and nothing else."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from bot import wording
from bot.settings import BotSettings
from bot.standin.settings import StandinSettings
from records.assistant import SlackOptions
from records.cli import COMMANDS
from records.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDE = (DOCS / "slack.md").read_text()
MANIFEST = yaml.safe_load((ROOT / "deploy" / "slack" / "manifest.yaml").read_text())
PICTURES = DOCS / "images" / "slack"
LARGEST_BYTES = 200_000
LARGEST_SUM_BYTES = 3_000_000

IMAGES = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", GUIDE)
CODE = re.findall(r"`([^`\n]+)`", GUIDE) + re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
SLASHES = [command["command"] for command in MANIFEST["features"]["slash_commands"]]
SHORTCUTS = [shortcut["name"] for shortcut in MANIFEST["features"]["shortcuts"]]


def test_every_picture_exists_is_small_and_is_described() -> None:
    assert IMAGES
    for words, path in IMAGES:
        assert len(words) > 20, f"{path} needs alt text"
        assert (DOCS / path).stat().st_size < LARGEST_BYTES, path


def test_every_picture_is_used_and_all_together_are_small() -> None:
    taken = sorted(PICTURES.glob("*"))
    assert {f"images/slack/{path.name}" for path in taken} == {path for _, path in IMAGES}
    assert sum(path.stat().st_size for path in taken) < LARGEST_SUM_BYTES


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    table = GUIDE.split("| key | default |", 1)[1].split("\n\n", 1)[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE))
    assert rows.keys() == SlackOptions.model_fields.keys()
    for name, field in SlackOptions.model_fields.items():
        shown = {"none": "", "everybody": ""}.get(rows[name], rows[name].strip("`"))
        default = field.default if field.default != () else ""
        assert shown == (f"{default}".lower() if isinstance(default, bool) else f"{default}"), name


@pytest.mark.parametrize("named", [*SLASHES, *(f"*{name}*" for name in SHORTCUTS)])
def test_every_command_and_shortcut_of_the_manifest_is_named(named: str) -> None:
    assert named in GUIDE


def test_every_button_of_the_tables_has_that_very_name() -> None:
    labels = {words for words in vars(wording.conversations).values() if isinstance(words, str)}
    tables = [part.split("\n\n")[0] for part in GUIDE.split("| button | what it does |")[1:]]
    rows = [row.split("|")[1] for table in tables for row in table.splitlines() if "*" in row]
    named = [name for row in rows for name in re.findall(r"\*([^*]+)\*", row)]
    assert len(named) > 6
    assert set(named) <= labels


def test_it_names_no_slash_command_that_does_not_exist() -> None:
    paths = {"/health", "/slack", "/invite"}
    named = {match[0] for code in CODE if (match := re.match(r"/[a-z]+", code))}
    assert named - paths <= set(SLASHES)


def test_every_command_on_the_machine_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    words = [code.split() for code in CODE]
    assert {w[1] for w in words if w[0] == "make"} <= set(targets)
    assert {w[1] for w in words if w[0] == "understudy"} <= set(COMMANDS)


def test_every_environment_variable_is_one_that_is_read() -> None:
    known = {
        f"UNDERSTUDY_{n.upper()}"
        for s in (Settings, BotSettings, StandinSettings)
        for n in s.model_fields
    }
    known |= {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "SLACK_API_URL"}
    named = set(re.findall(r"\b(?:UNDERSTUDY|SLACK)_[A-Z_]+\b", GUIDE))
    assert named <= known


def test_every_link_within_the_guide_leads_somewhere() -> None:
    for link in re.findall(r"(?<!!)\[[^\]]+\]\(([^)]+)\)", GUIDE):
        path, anchor = urlsplit(link).path, urlsplit(link).fragment
        if urlsplit(link).scheme:
            continue
        page = DOCS / path if path else DOCS / "slack.md"
        assert page.exists(), link
        assert not anchor or anchor in anchors(page.read_text()), link


def anchors(text: str) -> set[str]:
    """The headings of a page, as GitHub makes addresses of them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
