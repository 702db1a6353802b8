"""Files in the stand-in: sent in Slack's two steps, and seen by those who may."""

import aiohttp
import pytest

from bot.standin.refusal import Refused
from tests.bot.alone import TOKEN, Api, client, code
from tests.bot.office import CHANNEL, Office


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"filename": "a.png"}, "missing_argument"),
        ({"filename": "a.png", "length": 0}, "missing_argument"),
        ({"length": 3}, "invalid_arguments"),
        ({"filename": "a.png", "length": 3, "alt_txt": "a" * 1001}, "alt_txt_too_large"),
        ({"filename": "a.txt", "length": 3, "snippet_type": "klingon"}, "unknown_snippet_type"),
        ({"filename": "a.txt", "length": 1_000_001, "snippet_type": "text"}, "snippet_too_large"),
    ],
)
def test_a_file_is_announced_as_slack_wants_it(given: dict[str, object], error: str) -> None:
    with pytest.raises(Refused, match=error):
        Api().call("files.getUploadURLExternal", **given)


def test_a_file_that_never_came_is_not_shared() -> None:
    slack = Api()
    announced = slack.call("files.getUploadURLExternal", filename="a.png", length=3)
    for file, error in ((announced["file_id"], "file_not_uploaded"), ("F9", "file_not_found")):
        with pytest.raises(Refused, match=error):
            slack.call("files.completeUploadExternal", files=[{"id": file}], channel_id=CHANNEL)


async def test_an_upload_must_have_the_length_that_was_said(alone: Office) -> None:
    announced = await client(alone).files_getUploadURLExternal(filename="a.png", length=3)
    async with (
        aiohttp.ClientSession() as session,
        session.post(str(announced["upload_url"]), data=b"four") as upload,
    ):
        assert upload.status == 400


async def test_a_file_stands_in_its_thread_and_only_the_token_opens_it(alone: Office) -> None:
    slack, ann = client(alone), alone.person("U0ANN")
    head = await slack.chat_postMessage(channel=CHANNEL, text="head")
    channel, ts = str(head["channel"]), str(head["ts"])
    await slack.files_upload_v2(
        channel=channel, thread_ts=ts, filename="a.txt", content="words", snippet_type="text"
    )
    (file,) = (await ann.thread(channel, ts))[1]["files"]
    assert (file["mode"], file["size"]) == ("snippet", 5)
    assert await ann.download(file) == b"words"
    assert (await slack.files_info(file=file["id"]))["file"]["name"] == "a.txt"
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with session.get(file["url_private"], headers=headers) as answer:
            assert await answer.read() == b"words"
        async with session.get(file["url_private"], allow_redirects=False) as answer:
            assert answer.status == 302


async def test_what_a_person_attached_can_be_read_by_the_app(alone: Office) -> None:
    ann = alone.person("U0ANN")
    await ann.reply(CHANNEL, None, "see", files=[{"name": "a.csv", "content": "1,2"}])
    (message,) = await ann.messages(CHANNEL)
    assert message["subtype"] == "file_share"
    (file,) = message["files"]
    assert (file["mimetype"], file["size"]) == ("text/csv", 3)
    assert (await client(alone).files_info(file=file["id"]))["file"]["user"] == "U0ANN"
    assert await code(client(alone).files_info(file="F9")) == "file_not_found"


async def test_an_image_in_blocks_is_a_file_that_was_uploaded(alone: Office) -> None:
    slack, ann = client(alone), alone.person("U0ANN")
    await ann.reply(CHANNEL, None, "see", files=[{"name": "a.png", "content": "picture"}])
    await ann.reply(CHANNEL, None, "see", files=[{"name": "a.txt", "content": "words"}])
    picture, words = [m["files"][0]["id"] for m in await ann.messages(CHANNEL)]

    def image(file: str) -> list[dict[str, object]]:
        return [{"type": "image", "slack_file": {"id": file}, "alt_text": "a"}]

    await slack.chat_postMessage(channel=CHANNEL, text="a", blocks=image(picture))
    for file in (words, "F9"):
        call = slack.chat_postMessage(channel=CHANNEL, text="a", blocks=image(file))
        assert await code(call) == "invalid_blocks"
        home = {"type": "home", "blocks": image(file)}
        assert await code(slack.views_publish(user_id="U0ANN", view=home)) == "invalid_arguments"
