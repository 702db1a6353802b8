"""*Pause* and *Resume*: the owner waits for something else, and nobody is bypassed meanwhile."""

from bot.standin.people import buttons_of
from records.messages import Role
from tests.bot.office import CHANNEL, Office, found, saying, told


async def test_an_owner_pauses_and_resumes(office: Office) -> None:
    office.escalated()
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    card = await office.taken_by(ann)
    await ben.click(CHANNEL, card["ts"], "pause")
    await told(ben, "Only <@U0ANN>, who has taken this over, can pause it.")
    for _ in range(2):
        await ann.click(CHANNEL, card["ts"], "pause")
        paused = await found(ann, saying("<@U0ANN> has this, paused since"))
        assert "resume" in buttons_of(paused)
        await ann.click(CHANNEL, card["ts"], "resume")
        going_on = await found(ann, saying("<@U0ANN> speaks with the customer"))
        assert "pause" in buttons_of(going_on)


async def test_a_reply_ends_the_pause_and_what_a_customer_writes_does_not(office: Office) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    await ann.click(CHANNEL, card["ts"], "pause")
    await found(ann, saying("paused since"))
    office.ask("Are you there?", "Passed on.")
    await office.all_sent()
    assert await found(ann, saying("paused since"))
    await ann.reply(CHANNEL, card["ts"], "Yes, it is found.")
    await found(ann, saying("<@U0ANN> speaks with the customer"))
    assert [t.content for t in office.turns() if t.role is Role.AGENT] == ["Yes, it is found."]
