"""The addresses of the stand-in's page: where they lead, and what a browser may do there."""

import pytest
from aiohttp import ClientSession

from tests.bot.office import CHANNEL, Office


async def test_the_page_is_what_a_browser_gets(alone: Office) -> None:
    async with ClientSession(f"http://127.0.0.1:{alone.slack_port}") as browser:
        async with browser.get("/") as answer:
            assert answer.url.path == "/slack"
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            assert "nothing here reaches Slack" in await answer.text()
        async with browser.get("/slack/main.js") as answer:
            assert "javascript" in answer.headers["Content-Type"]
        for away in ("/slack/none.js", "/slack/..%2fserver.py", "/slack/%2e%2e/pages.py"):
            async with browser.get(away) as answer:
                assert answer.status == 404


@pytest.mark.parametrize("is_reply", [False, True])
async def test_a_messages_address_opens_its_thread(alone: Office, is_reply: bool) -> None:
    ann = alone.person("U0ANN")
    head = await ann.reply(CHANNEL, None, "Hello")
    said = await ann.reply(CHANNEL, head["ts"], "Hello again") if is_reply else head
    where = {"channel": CHANNEL, "message_ts": said["ts"]}
    given = {"headers": {"Authorization": "Bearer xoxb-standin"}, "params": where}
    async with ClientSession(f"http://127.0.0.1:{alone.slack_port}") as browser:
        async with browser.get("/api/chat.getPermalink", **given) as answer:
            link = (await answer.json())["permalink"]
        async with browser.get(link, allow_redirects=False) as answer:
            assert answer.headers["Location"] == f"/slack#/me/C0SUPPORT/{head['ts']}"


async def test_a_persons_screen_holds_what_they_alone_see(alone: Office) -> None:
    ann = alone.person("U0ANN")
    head = await ann.reply(CHANNEL, None, "Hello")
    await ann.reply(CHANNEL, head["ts"], "Hello again")
    query = {"user": "U0ANN", "channel": CHANNEL, "thread": head["ts"]}
    async with ClientSession(f"http://127.0.0.1:{alone.slack_port}") as browser:
        async with browser.get("/slack/screen", params=query) as answer:
            seen = await answer.json()
        async with browser.get("/slack/screen", params={"channel": "C0NONE"}) as answer:
            empty = await answer.json()
    assert [m["text"] for m in seen["channel"]["messages"]] == ["Hello"]
    assert [m["text"] for m in seen["thread"]["messages"]] == ["Hello", "Hello again"]
    assert "/retrain" in [command["command"] for command in seen["commands"]]
    assert "flag_answer" in [shortcut["callback_id"] for shortcut in seen["shortcuts"]]
    assert (empty["channel"], empty["thread"], empty["whispers"]) == (None, None, [])


async def test_what_people_upload_can_run_nothing_and_other_sites_can_do_nothing(
    alone: Office,
) -> None:
    evil = {"name": "evil.html", "content": "<script>alert(1)</script>"}
    ann = alone.person("U0ANN")
    await ann.reply(CHANNEL, None, "look", files=[evil])
    [file] = (await ann.messages(CHANNEL))[0]["files"]
    async with ClientSession(headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        async with browser.get(file["url_private"]) as answer:
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        url = f"http://127.0.0.1:{alone.slack_port}/standin/reply"
        plain = {"Content-Type": "text/plain"}  # what a form of another site may send
        async with browser.post(url, data='{"user": "U0ANN"}', headers=plain) as answer:
            assert answer.status == 415
