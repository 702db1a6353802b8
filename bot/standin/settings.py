"""Settings of the stand-in for Slack."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from records.settings import Settings

DEFAULT_BOT_TOKEN = "xoxb-standin"  # noqa: S105 - not a secret: it opens nothing but the stand-in
DEFAULT_APP_TOKEN = "xapp-standin"  # noqa: S105
DEFAULT_SIGNING_SECRET = "standin"  # noqa: S105


class StandinSettings(Settings):
    """Where the stand-in listens, whom it tells, and how strict it is."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    slack_bot_token: SecretStr = Field(
        default=SecretStr(DEFAULT_BOT_TOKEN),
        validation_alias=AliasChoices("SLACK_BOT_TOKEN", "slack_bot_token"),
    )
    slack_app_token: SecretStr = Field(
        default=SecretStr(DEFAULT_APP_TOKEN),
        validation_alias=AliasChoices("SLACK_APP_TOKEN", "slack_app_token"),
    )
    slack_signing_secret: SecretStr = Field(
        default=SecretStr(DEFAULT_SIGNING_SECRET),
        validation_alias=AliasChoices("SLACK_SIGNING_SECRET", "slack_signing_secret"),
    )
    standin_port: int = Field(default=3001, description="Port on loopback.")
    bot_port: int = Field(default=3000, description="Port of the bot on this machine.")
    standin_bot_url: str = Field(
        default="",
        description="Where the bot is told of things, unless it has opened a socket; "
        "default: the bot on this machine.",
    )
    standin_messages_per_second: float = Field(
        default=1.0, gt=0, description="Rate per channel; Slack's other limits grow with it."
    )
    standin_retry_seconds: tuple[float, ...] = Field(
        default=(0.0, 60.0, 300.0), description="When a failed event is delivered again."
    )
    standin_refused_share: float = Field(
        default=0.0, ge=0, le=1, description="Share of calls answered 429 without need."
    )
    standin_repeated_share: float = Field(
        default=0.0, ge=0, le=1, description="Share of events delivered twice without need."
    )

    @property
    def bot_url(self) -> str:
        """Where the bot is told of things, the default filled in."""
        return self.standin_bot_url or f"http://127.0.0.1:{self.bot_port}/slack/events"
