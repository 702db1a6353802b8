"""Settings of the stand-in for Slack."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from records.settings import Settings

DEFAULT_BOT_TOKEN = "xoxb-standin"  # noqa: S105 - not a secret: it opens nothing but the stand-in
DEFAULT_APP_TOKEN = "xapp-standin"  # noqa: S105
DEFAULT_SIGNING_SECRET = "standin"  # noqa: S105
DEFAULT_CLIENT_ID = "standin.client"
DEFAULT_CLIENT_SECRET = "standin"  # noqa: S105


def _secret(name: str, default: str) -> SecretStr:
    aliases = AliasChoices(name.upper(), name)
    value: SecretStr = Field(default=SecretStr(default), validation_alias=aliases)
    return value


class StandinSettings(Settings):
    """Where the stand-in listens, whom it tells, and how strict it is."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    slack_bot_token: SecretStr = _secret("slack_bot_token", DEFAULT_BOT_TOKEN)
    slack_app_token: SecretStr = _secret("slack_app_token", DEFAULT_APP_TOKEN)
    slack_signing_secret: SecretStr = _secret("slack_signing_secret", DEFAULT_SIGNING_SECRET)
    slack_client_id: SecretStr = _secret("slack_client_id", DEFAULT_CLIENT_ID)
    slack_client_secret: SecretStr = _secret("slack_client_secret", DEFAULT_CLIENT_SECRET)
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
    standin_switch_off_events: int = Field(
        default=1000, description="From how many deliveries an hour on few answers switch them off."
    )
    standin_scopes: tuple[str, ...] | None = Field(
        default=None, description="Scopes of the bot's token; default: those of the manifest."
    )
    standin_is_loose: bool = Field(
        default=False, description="Give every scope and every event, whatever the manifest says."
    )
    standin_histories_a_minute: float | None = Field(
        default=None,
        description="How often channels and threads may be read; Slack allows an app that is "
        "distributed outside of its marketplace 1. Default: tier 3.",
    )
    standin_token_seconds: float | None = Field(
        default=None, description="How long an installation's token lives; default: for ever."
    )
    standin_socket_seconds: float = Field(
        default=14_400.0, description="After which time a socket is to be opened anew."
    )

    @property
    def bot_url(self) -> str:
        """Where the bot is told of things, the default filled in."""
        return self.standin_bot_url or f"http://127.0.0.1:{self.bot_port}/slack/events"
