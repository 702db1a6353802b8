"""Block Kit of every kind, for tests of what shows it."""

from typing import Any

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def marked(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str, description: str | None = None) -> Json:
    given = {"text": plain(value.capitalize()), "value": value}
    return given | ({"description": plain(description)} if description else {})


def button(action: str, label: str, **more: Any) -> Json:
    return {"type": "button", "text": plain(label), "action_id": action, "value": "1", **more}


def _text(words: str, **style: bool) -> Json:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def _items(*words: str, indent: int = 0) -> Json:
    items = [{"type": "rich_text_section", "elements": [_text(w)]} for w in words]
    return {"type": "rich_text_list", "style": "bullet", "indent": indent, "elements": items}


_OPTIONS = [option("one", "the first"), option("two")]
_SURE = {
    "title": plain("Discard"),
    "text": marked("This cannot be undone."),
    "confirm": plain("Discard"),
    "deny": plain("Cancel"),
}
_PICTURE = {"type": "image", "image_url": "https://a.example/plot.png", "alt_text": "a plot"}

RICH: Json = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                _text("plain and "),
                _text("bold", bold=True),
                {"type": "emoji", "name": "rocket"},
                {"type": "user", "user_id": "U0BEN"},
                {"type": "link", "url": "https://a.example/", "text": "a link"},
                {"type": "broadcast", "range": "here"},
            ],
        },
        _items("nested"),
        _items("nested deeper", indent=1),
        {"type": "rich_text_quote", "elements": [_text("quoted")]},
        {"type": "rich_text_preformatted", "elements": [_text("code")]},
    ],
}
MARKDOWN: Json = {
    "type": "markdown",
    "text": "# Title\n\n**bold** _it_ ~~no~~ `code` [link](https://a.example)\n\n"
    "| metric | A | B |\n|:--|--:|--:|\n| accuracy | 81 % | 86 % |\n\n"
    "1. first\n2. second\n   - nested\n\n- [x] done\n\n> quoted\n\n```\ncode\n```\n---\nend",
}
ACTIONS: Json = {
    "type": "actions",
    "block_id": "actions",
    "elements": [
        button("take_over", "Take over", style="primary"),
        button("discard", "Discard", style="danger", confirm=_SURE),
        {
            "type": "static_select",
            "action_id": "pick",
            "placeholder": plain("Pick"),
            "options": _OPTIONS,
        },
        {"type": "users_select", "action_id": "who", "placeholder": plain("Assign to…")},
        {"type": "overflow", "action_id": "more", "options": _OPTIONS},
    ],
}
FEEDBACK: Json = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "vote",
            "positive_button": {"text": plain("Good"), "value": "up"},
            "negative_button": {"text": plain("Bad"), "value": "down"},
        },
        {"type": "icon_button", "icon": "trash", "action_id": "remove", "text": plain("Remove")},
    ],
}
TABLE: Json = {
    "type": "table",
    "column_settings": [{"is_wrapped": False}, {"align": "right"}],
    "rows": [
        [{"type": "raw_text", "text": "slice"}, {"type": "raw_text", "text": "cases"}],
        [{"type": "raw_text", "text": "cards"}, {"type": "raw_text", "text": "120"}],
    ],
}
EVERYTHING: list[Json] = [
    {"type": "header", "text": plain("A customer asked for a person :rotating_light:")},
    {
        "type": "section",
        "text": marked(
            "*bold* _it_ ~no~ `code` <https://a.example|link> <@U0ANN> <!here> <#C0SUPPORT>\n"
            "&gt; quoted\n```code```<!date^1700000000^{date_short_pretty} {time}|then>"
        ),
        "fields": [marked("*Reason*\nasked"), plain("Waiting")],
        "accessory": _PICTURE,
    },
    {"type": "divider"},
    ACTIONS,
    {"type": "context", "elements": [_PICTURE | {"alt_text": "tiny"}, marked("small print")]},
    {"type": "alert", "level": "warning", "text": marked("Only 640 examples")},
    FEEDBACK,
    RICH,
    TABLE,
    MARKDOWN,
]
FORM: Json = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Retrain"),
    "submit": plain("Retrain"),
    "blocks": [
        {
            "type": "input",
            "block_id": f"field-{n}",
            "label": plain(f"Field {n}"),
            "element": element,
        }
        for n, element in enumerate(
            [
                {"type": "plain_text_input", "action_id": "text", "multiline": True},
                {"type": "number_input", "action_id": "number", "is_decimal_allowed": False},
                {"type": "email_text_input", "action_id": "email"},
                {"type": "url_text_input", "action_id": "url"},
                {"type": "datepicker", "action_id": "date", "initial_date": "2026-01-05"},
                {"type": "timepicker", "action_id": "time", "initial_time": "03:00"},
                {"type": "static_select", "action_id": "select", "options": _OPTIONS},
                {"type": "multi_static_select", "action_id": "several", "options": _OPTIONS},
                {"type": "radio_buttons", "action_id": "radio", "options": _OPTIONS},
                {"type": "checkboxes", "action_id": "boxes", "options": _OPTIONS},
                {"type": "users_select", "action_id": "user"},
                {"type": "multi_users_select", "action_id": "users"},
                {"type": "channels_select", "action_id": "channel"},
                {"type": "conversations_select", "action_id": "place"},
            ]
        )
    ],
}
HOME: Json = {
    "type": "home",
    "blocks": [
        {"type": "header", "text": plain("Review")},
        {
            "type": "section",
            "text": marked("*3* examples wait"),
            "accessory": button("refresh", "Refresh"),
        },
        ACTIONS,
    ],
}
