"""How the stand-in refuses: with Slack's own error codes."""

from typing import Any


class Refused(Exception):
    """A call or an act that Slack would not accept."""

    def __init__(
        self,
        code: str,
        *,
        messages: list[str] | None = None,
        retry_after: int = 0,
        details: dict[str, Any] | None = None,
    ):
        super().__init__(": ".join([code, *(messages or [])]))
        self.code = code
        self.messages = messages or []
        self.retry_after = retry_after
        self.details = details or {}

    def answer(self) -> dict[str, Any]:
        """The body of Slack's answer."""
        body: dict[str, Any] = {"ok": False, "error": self.code, **self.details}
        if self.messages:
            body["response_metadata"] = {"messages": [f"[ERROR] {m}" for m in self.messages]}
        return body
