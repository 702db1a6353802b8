"""What the stand-in is made of, put together from its settings."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.standin.client import Client
from bot.standin.delivery import Delivery, Pace
from bot.standin.health import Health
from bot.standin.keeping import Keeping
from bot.standin.manifest import Manifest
from bot.standin.methods import METHODS
from bot.standin.rate_limits import RateLimits
from bot.standin.response_urls import ResponseUrls
from bot.standin.settings import StandinSettings
from bot.standin.tokens import Tokens
from bot.standin.web_api import WebApi
from bot.standin.workspace import TEAM
from bot.standin.workspaces import Changes, Workspaces


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts; whoever answers HTTP takes what it needs."""

    settings: StandinSettings
    url: str
    manifest: Manifest
    scopes: frozenset[str]
    changes: Changes
    workspaces: Workspaces
    keeping: Keeping
    tokens: Tokens
    health: Health
    response_urls: ResponseUrls
    delivery: Delivery
    api: WebApi

    @classmethod
    def of(cls, settings: StandinSettings, channels: Sequence[str]) -> "Parts":
        """The parts that the settings ask for; every workspace has these channels."""
        url = f"http://127.0.0.1:{settings.standin_port}"
        manifest = _manifest(settings)
        changes = Changes()
        workspaces = Workspaces(time.time, changes, channels)
        tokens = _tokens(settings, manifest.scopes)
        health = Health(time.monotonic, settings.standin_switch_off_events)
        return cls(
            settings=settings,
            url=url,
            manifest=manifest,
            scopes=manifest.scopes,
            changes=changes,
            workspaces=workspaces,
            keeping=Keeping(Path(settings.home) / "slack-standin"),
            tokens=tokens,
            health=health,
            response_urls=ResponseUrls(url, time.time),
            delivery=_delivery(settings, manifest, health),
            api=WebApi(workspaces.of, tokens, _limits(settings), url),
        )

    def client(self, team: str) -> Client:
        """Slack's client in one workspace."""
        return Client(
            workspace=self.workspaces.of(team),
            delivery=self.delivery,
            response_urls=self.response_urls,
            keeping=self.keeping,
            tokens=self.tokens,
            health=self.health,
            manifest=self.manifest,
            url=self.url,
        )

    def save(self) -> None:
        """Keep what has changed."""
        self.keeping.save(self.workspaces.known.values(), self.tokens)


def _manifest(settings: StandinSettings) -> Manifest:
    """The app's manifest, as far as it is to be obeyed."""
    manifest = Manifest.of_everything(METHODS) if settings.standin_is_loose else Manifest.read()
    return manifest.with_scopes(settings.standin_scopes)


def _tokens(settings: StandinSettings, scopes: frozenset[str]) -> Tokens:
    tokens = Tokens(time.time, settings.standin_token_seconds)
    tokens.add(settings.slack_bot_token.get_secret_value(), TEAM, scopes)
    tokens.add(settings.slack_app_token.get_secret_value(), "", frozenset())
    return tokens


def _limits(settings: StandinSettings) -> RateLimits:
    return RateLimits(
        settings.standin_messages_per_second,
        time.monotonic,
        refused_share=settings.standin_refused_share,
        histories_a_minute=settings.standin_histories_a_minute,
    )


def _delivery(settings: StandinSettings, manifest: Manifest, health: Health) -> Delivery:
    return Delivery(
        settings.bot_url,
        settings.slack_signing_secret.get_secret_value(),
        pace=Pace(settings.standin_retry_seconds, settings.standin_repeated_share),
        health=health,
        is_wanted=manifest.wants,
    )
