"""What can be looked up from Slack: versions, comparisons, and why an answer is what it is."""

from pathlib import Path

import pytest

from bot.standin.people import Person, buttons_of, text_of
from records import flags, versions
from records.flags import Judgement
from records.ids import utc_now
from records.states import ExampleSource, ExampleState, FlagReason, Verdict, VersionState
from records.tables import Dataset, DatasetExample, Example, Version
from tests.bot.office import CHANNEL, Office, found, found_in_thread, offering, told
from tests.bot.releases import challenger


async def test_versions_are_listed_for_the_asker_the_newest_first(
    office: Office, tmp_path: Path
) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.FAIL)
    ann = office.person("U0ANN")
    await ann.slash("/versions", channel=CHANNEL)
    shown = text_of(await told(ann, "Versions of support"))
    assert shown.index(name) < shown.index("support-base")
    assert ":red_circle: FAIL" in shown
    assert ":trophy: *champion*" in shown
    assert "the bare base model" in shown
    assert await office.person("U0BEN").ephemerals() == []


async def test_a_long_list_of_versions_is_cut_with_a_note(office: Office) -> None:
    with office.database.write() as session:
        for number in range(30):
            versions.register(
                session,
                Version(
                    id=f"support-{number:012x}",
                    assistant="support",
                    base_model="some/base",
                    base_hash="0" * 64,
                    state=VersionState.TRAINED,
                ),
            )
    ann = office.person("U0ANN")
    await ann.slash("/versions", "support", channel=CHANNEL)
    shown = await told(ann, "left out here: 11")
    assert f"support-{29:012x}" in text_of(shown)
    assert "support-base" not in text_of(shown)


async def test_the_newest_report_of_two_versions_is_shown_whichever_is_named_first(
    office: Office, tmp_path: Path
) -> None:
    name, report = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    ann = office.person("U0ANN")
    for order in ((name, "support-base"), ("support-base", name)):
        await ann.slash("/compare", " ".join(order), channel=CHANNEL)

    async def both() -> list[str] | None:
        shown = [text_of(m) for m in await ann.ephemerals()]
        return shown if len(shown) == 2 else None

    for shown in await ann.wait_for(both):
        for words in (report, "PASS", "60.0 % → 20.0 %", "| f1 | 0.2 | 0.8 |"):
            assert words in shown
    assert all(buttons_of(m) == {} for m in await ann.ephemerals())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "Name two versions"),
        ("my answers please", "Name two versions"),
        ("support-base", "Both are version 1 (support-base)"),
        ("support-base support-base", "Both are version 1 (support-base)"),
        ("support-base support-dead", "no version `support-dead`"),
        ("1 9", "no version `9`"),
    ],
)
async def test_a_comparison_that_cannot_be_is_explained(
    office: Office, given: str, words: str
) -> None:
    ann = office.person("U0ANN")
    await ann.slash("/compare", given, channel=CHANNEL)
    await told(ann, words)


async def test_without_a_report_the_command_that_makes_one_is_named(
    office: Office, tmp_path: Path
) -> None:
    one, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    other, _ = challenger(office, tmp_path / "b", verdict=Verdict.PASS)
    ann = office.person("U0ANN")
    await ann.slash("/compare", f"{one} {other}", channel=CHANNEL)
    await told(ann, f"understudy compare {one} {other}")


# --- why an answer is what it is ---


def learned(office: Office) -> str:
    """An answer of a version that was trained on a flagged one; returns the answer's id."""
    _, wrong = office.ask("Where is my card?", "I do not know.", key="c-0")
    _, answer = office.ask("Where is my new card?", "Open the Cards tab.", key="c-1")
    with office.database.write() as session:
        flag = flags.add(
            session,
            wrong,
            agent="U0ANN",
            judgement=Judgement(FlagReason.WRONG, correction="Open the Cards tab."),
        )
        example = Example(
            assistant="support",
            key="example",
            source=ExampleSource.FLAG,
            flag_id=flag.id,
            prompt=[{"role": "customer", "content": "Where is my card?"}],
            chosen="Open the Cards tab.",
            state=ExampleState.APPROVED,
            created_by="U0ANN",
            decided_by="U0DANA",
            decided_at=utc_now(),
        )
        session.add_all(
            [
                example,
                Dataset(id="ds-1", assistant="support", content_hash="0", path="p", card={}),
            ]
        )
        session.flush()
        session.add(DatasetExample(dataset_id="ds-1", example_id=example.id, split="train"))
        versions.get(session, "support-base").dataset_id = "ds-1"
        versions.get(session, "support-base").parent = "support-older"
    return answer


LINEAGE = (
    "Where is my new card?",
    "Open the Cards tab.",
    "support-base",
    "ds-1",
    "Where is my card? → Open the Cards tab.",
    "flagged by <@U0ANN>, approved by <@U0DANA>",
)


async def explained(person: Person) -> str:
    return text_of(await told(person, "said this."))


@pytest.mark.parametrize("named", ["turn", "conv_c-1"])
async def test_an_answer_is_explained_by_its_id_or_its_conversations(
    office: Office, named: str
) -> None:
    answer = learned(office)
    ann = office.person("U0ANN")
    await ann.slash("/explain", answer if named == "turn" else named, channel=CHANNEL)
    shown = await explained(ann)
    for words in LINEAGE:
        assert words in shown
    said, learned_from = shown.splitlines()[1:3]
    assert said == ":mag: *Version 1 (support-base)* said this."
    assert learned_from == (
        "Examples it learned from: 1. The nearest to this question (89% alike): "
        "“Where is my card?” → “Open the Cards tab.”"
    )


async def test_an_answer_is_explained_by_the_link_of_its_message(office: Office) -> None:
    office.escalate(learned(office))
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
    await office.all_sent()  # where a message stands is noted after it was sent
    for message in (answer, card):
        link = f"https://standin.slack.com/archives/C0SUPPORT/p{message['ts'].replace('.', '')}"
        await ann.slash(
            "/explain", f"<{link}?thread_ts={card['ts']}&cid=C0SUPPORT>", channel=CHANNEL
        )

    async def both() -> list[str] | None:
        shown = [text_of(m) for m in await ann.ephemerals()]
        return shown if len(shown) == 2 else None

    for shown in await ann.wait_for(both):
        assert "flagged by <@U0ANN>, approved by <@U0DANA>" in shown
        assert "Handed over:* the assistant asked for a person" in shown


async def test_the_shortcut_explains_an_answer_in_its_thread(office: Office) -> None:
    office.escalate(learned(office))
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    answer = await found_in_thread(ann, card["ts"], offering("flag_answer"))
    await ann.shortcut("explain_answer", CHANNEL, answer["ts"])
    shown = await told(ann, "said this.")
    assert shown["thread_ts"] == card["ts"]
    for words in LINEAGE:
        assert words in text_of(shown)


async def test_what_is_no_answer_is_said_to_be_none(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    written = await ann.reply(CHANNEL, None, "Good morning!")
    await ann.shortcut("explain_answer", CHANNEL, written["ts"])
    await told(ann, "No answer of the assistant stands in that message")
    for given, words in (
        ("", "Name an answer"),
        ("my answer", "Name an answer"),
        ("turn_nothing", "No turn 'turn_nothing'"),
        ("conv_nothing", "conv_nothing"),
    ):
        await ann.slash("/explain", given, channel=CHANNEL)
        await told(ann, words)
    assert card["ts"]
