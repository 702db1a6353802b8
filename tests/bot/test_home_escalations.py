"""App Home says who waits for a person, and what the reader has."""

from datetime import timedelta

import pytest

from bot import wording
from bot.standin.block_rules import problems
from bot.standin.people import text_of
from bot.views.home_escalations import EscalationsShown, escalation_blocks
from records import endings, escalations, flags, handling, open_escalations
from records.flags import Judgement
from records.ids import utc_now
from records.open_escalations import OpenOne, OpenOnes
from records.states import FlagReason
from tests.bot.office import CHANNEL, Office, found, offering
from tests.bot.test_escalation_views import an_escalation, taken
from tests.bot.test_review_home import flagged, home_saying, opened
from tests.bot.test_slack_views import HOSTILE, NOW, formatted_texts


def test_without_escalations_a_sentence_says_so() -> None:
    (only,) = escalation_blocks(EscalationsShown(NOW))
    assert wording.home.NOBODY_WAITS in str(only.to_dict())


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_break_the_lists_or_slacks_limits(words: str) -> None:
    marked = f"<!channel> <https://evil.example|x> {words}"
    mine = [taken(), taken(paused_at=NOW), an_escalation(assignee="U0ANN"), *[taken()] * 2]
    ones = [
        OpenOne(one, "assistant-" * 6, marked, "C0SUPPORT123", "1748779200.000001") for one in mine
    ]
    several = OpenOnes(10**9, ones)
    address = "https://standin.slack.com/"
    shown = EscalationsShown(NOW, "U0ANN", several, several, address, readable=["C0SUPPORT123"])
    blocks = [block.to_dict() for block in escalation_blocks(shown)]
    assert problems(blocks, most=100) == []
    for text in formatted_texts(blocks):
        assert "<!channel" not in text
        assert "<https://evil" not in text
        assert text.endswith(wording.home.MORE_OPEN.format(number=f"{10**9 - 5:,}"))


async def test_home_lists_the_oldest_of_those_who_wait_with_links(
    office: Office,
) -> None:
    names = [office.escalated(key=f"c-{number}")[0] for number in range(7)]
    with office.database.write() as session:
        for age, name in enumerate(names):
            escalations.get(session, name).opened_at = utc_now() - timedelta(hours=age)
        escalations.take_over(session, names[0], agent="U0BEN")
    await office.all_sent()
    cards = {row.subject: row for row in office.rows("escalation_opened")}
    ann = office.person("U0ANN")
    home = text_of(await opened(ann, "Waiting for a person: 6"))
    links = [
        f"/archives/{cards[n].channel}/p{(cards[n].ts or '').replace('.', '')}|" for n in names
    ]
    assert [link in home for link in links] == [False, False, *[True] * 5]
    assert [home.index(link) for link in links[2:]] == sorted(
        (home.index(link) for link in links[2:]), reverse=True
    )
    assert "and 1 more" in home
    assert "“Where is my card?” · for 2 h · support" in home
    assert "Yours" not in home


async def test_home_shows_words_of_those_who_wait_to_readers_of_the_channel_only(
    office: Office,
) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    await found(ann, offering("take_over"))
    await office.all_sent()
    await ann.administer("kick", channel=CHANNEL, user="U0BEN")
    assert "“Where is my card?”" in text_of(await opened(ann, "Waiting for a person: 1"))
    assert "Where is my card?" not in text_of(await opened(ben, "Waiting for a person: 1"))


async def test_home_says_what_is_with_its_reader_and_what_they_were_asked_for(
    office: Office,
) -> None:
    names = [office.escalated(key=f"c-{number}")[0] for number in range(4)]
    with office.database.write() as session:
        for name in names[:2]:
            escalations.take_over(session, name, agent="U0ANN")
        handling.pause(session, names[1], agent="U0ANN")
        handling.assign(session, names[2], agent="U0BEN", assignee="U0ANN")
    ann, cem = office.person("U0ANN"), office.person("U0CEM")
    home = text_of(await opened(ann, "Yours: 3"))
    for words in ("with you since", "paused since", "you were asked to take it over"):
        assert home.count(words) == 1
    assert home.count("“Where is my card?”") == 3
    assert "Yours" not in text_of(await opened(cem, "Waiting for a person: 2"))


async def test_a_press_of_take_over_shows_when_home_is_opened_again(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    await opened(ann, "Waiting for a person: 1")
    card = await found(ann, offering("take_over"))
    await ann.click(CHANNEL, card["ts"], "take_over")
    await found(ann, offering("resolve"))
    await ann.open_home()
    home = await home_saying(ann, "Yours: 1")
    assert wording.home.NOBODY_WAITS in text_of(home)


def test_only_unresolved_ones_are_listed(closed_office: Office) -> None:
    names = [closed_office.escalated(key=f"c-{number}")[0] for number in range(3)]
    with closed_office.database.write() as session:
        escalations.take_over(session, names[0], agent="U0ANN")
        endings.hand_back(session, names[0], agent="U0ANN")
        escalations.take_over(session, names[1], agent="U0ANN")
        waiting = open_escalations.waiting(session, ["support"], most=5)
        mine = open_escalations.of_agent(session, "U0ANN", ["support"], most=5)
        others = open_escalations.waiting(session, ["sales"], most=5)
    assert [one.escalation.id for one in waiting.oldest] == [names[2]]
    assert [one.escalation.id for one in mine.oldest] == [names[1]]
    assert others == OpenOnes()


async def test_a_flag_without_a_right_answer_is_explained_and_noughts_are_left_out(
    office: Office,
) -> None:
    flagged(office, "On Monday.", key="c-1")
    _, answer = office.ask(key="c-2")
    with office.database.write() as session:
        flags.add(session, answer, agent="U0ANN", judgement=Judgement(FlagReason.TONE))
    ann = office.person("U0ANN")
    home = text_of(await opened(ann, "Your flags"))
    assert (
        "*2* flagged · *1* without a right answer, so nothing to learn from · *1* waiting" in home
    )
    assert "*0*" not in home


async def test_an_example_links_to_the_thread_in_which_its_conversation_stands(
    office: Office,
) -> None:
    _, answer = office.escalated()
    ann = office.person("U0ANN")
    card = await found(ann, offering("take_over"))
    await office.all_sent()
    with office.database.write() as session:
        judgement = Judgement(FlagReason.WRONG, "On Monday.")
        flags.add(session, answer, agent="U0BEN", judgement=judgement)
    link = f"/archives/{office.rows('escalation_opened')[0].channel}/p{card['ts'].replace('.', '')}"
    home = text_of(await opened(ann, "Question"))
    assert f"{link}|{wording.home.THREAD}>" in home
