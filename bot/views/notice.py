"""Forms that only say something: that a form is on its way, or why none comes."""

from typing import Any

from slack_sdk.models.blocks import PlainTextObject
from slack_sdk.models.views import View

from bot import wording
from bot.text import cut
from bot.views.content import line

_TITLE = 24


def notice_modal(sentence: str, *, title: str = wording.machine.NOTICE_TITLE) -> dict[str, Any]:
    """A sentence in place of a form, or while the form is being made.

    `sentence` is our own mrkdwn: what stands in it of others went through `literal`.
    """
    view = View(
        type="modal",
        title=PlainTextObject(text=cut(title, _TITLE)),
        close=PlainTextObject(text=wording.machine.CLOSE),
        blocks=[line(sentence)],
    )
    return view.to_dict()
