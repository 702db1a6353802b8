"""Settings of the bot's process."""

from pydantic import AliasChoices, Field, SecretStr

from records.errors import ConfigurationError
from records.settings import Settings


class BotSettings(Settings):
    """How to reach Slack, and how fast."""

    slack_bot_token: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("SLACK_BOT_TOKEN", "slack_bot_token")
    )
    slack_signing_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("SLACK_SIGNING_SECRET", "slack_signing_secret"),
    )
    slack_app_token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("SLACK_APP_TOKEN", "slack_app_token"),
        description="Set, the bot uses Socket Mode; empty, it serves HTTP.",
    )
    slack_api_url: str = Field(
        default="https://slack.com/api/",
        validation_alias=AliasChoices("SLACK_API_URL", "slack_api_url"),
    )
    slack_client_id: str = Field(
        default="",
        validation_alias=AliasChoices(
            "UNDERSTUDY_SLACK_CLIENT_ID", "SLACK_CLIENT_ID", "slack_client_id"
        ),
        description="Set, the app is installed in any number of workspaces at /slack/install.",
    )
    slack_client_secret: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices(
            "UNDERSTUDY_SLACK_CLIENT_SECRET", "SLACK_CLIENT_SECRET", "slack_client_secret"
        ),
    )
    slack_redirect_url: str = Field(
        default="",
        description="Public address of /slack/oauth_redirect, where the app names several.",
    )
    bot_host: str = Field(default="127.0.0.1", description="Address of the bot's HTTP server.")
    bot_port: int = Field(default=3000, description="Port of Slack's requests and of /health.")
    slack_messages_per_second: float = Field(
        default=1.0, gt=0, description="Messages to one channel; Slack allows about one."
    )
    outbox_poll_seconds: float = Field(
        default=0.2, gt=0, description="How often to look for messages to send."
    )
    slack_call_seconds: float = Field(
        default=15.0,
        ge=0,
        description="After so long a call to Slack whose bot died has surely ended; before, it is "
        "not looked for what it left.",
    )
    round_seconds: float = Field(
        default=5.0, gt=0, description="How often to look for what becomes due by time alone."
    )
    job_update_seconds: float = Field(
        default=2.0, ge=0, description="Least time between two updates of a job's message."
    )
    ask_at_once: int = Field(
        default=2, ge=1, description="Answers to agents at a time: customers come first."
    )
    ask_seconds: float = Field(
        default=120, gt=0, le=150, description="Longest time for an answer to an agent."
    )
    ask_wait_seconds: float = Field(
        default=60, gt=0, le=120, description="Longest time that an agent waits for their turn."
    )
    ask_update_seconds: float = Field(
        default=1.25, ge=0, description="How often an answer that grows in Slack is updated."
    )

    @property
    def api_url(self) -> str:
        """The Web API's base URL, with the slash at its end that Slack's client needs."""
        return f"{self.slack_api_url.rstrip('/')}/"

    @property
    def socket_mode(self) -> bool:
        """Whether Slack is reached by a connection of ours, without a public URL."""
        return bool(self.slack_app_token.get_secret_value())

    @property
    def several_workspaces(self) -> bool:
        """Whether people install the app, so that the settings hold no token."""
        return bool(self.slack_client_id)

    @property
    def authorization_url(self) -> str:
        """Where a browser is sent to install the app: beside the Web API."""
        return f"{self.api_url.removesuffix('/').removesuffix('/api')}/oauth/v2/authorize"

    def require_tokens(self) -> None:
        """See that the bot can speak to Slack.

        Raises:
            ConfigurationError: naming what to set.
        """
        wanted = [("SLACK_SIGNING_SECRET", self.slack_signing_secret)]
        if self.several_workspaces:
            wanted.append(("UNDERSTUDY_SLACK_CLIENT_SECRET", self.slack_client_secret))
        else:
            wanted.insert(0, ("SLACK_BOT_TOKEN", self.slack_bot_token))
        missing = [name for name, secret in wanted if not secret.get_secret_value()]
        if missing:
            raise ConfigurationError(
                f"Set {' and '.join(missing)} (deploy/slack/manifest.yaml describes the app that "
                "they belong to), or run `understudy up` without them: it brings a stand-in for "
                "Slack, as `understudy slack` does."
            )
