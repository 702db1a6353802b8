"""Where a model can be asked: any OpenAI-compatible endpoint, by default the champion's engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from records import versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.engine import Engine
from records.errors import ConfigurationError, EngineUnavailable
from tuning.augmentation.settings import AugmentationSettings

_ASK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint and the model to be asked there."""

    url: str
    model: str
    key: SecretStr | None = None
    adapter: Path | None = None
    """The folder of the champion's adapter, which our own engine may not have loaded yet."""

    @classmethod
    def of(
        cls,
        settings: AugmentationSettings,
        database: Database,
        assistant: Assistant,
        *,
        url: str | None = None,
        model: str | None = None,
    ) -> Self:
        """The endpoint that is named, else that of the settings, else the champion's own engine.

        Raises:
            ConfigurationError: a URL without a model's name.
            NotFound: no champion yet.
        """
        url, model = url or settings.augment_url, model or settings.augment_model
        if url:
            if not model:
                raise ConfigurationError(
                    f"Which model of {url}? Set UNDERSTUDY_AUGMENT_MODEL, or say --model."
                )
            return cls(url.rstrip("/").removesuffix("/v1"), model, settings.augment_key)
        if model:
            return cls(settings.engines[0], model)
        with database.read() as session:
            champion = versions.champion(session, assistant.name)
        path = champion.adapter_path
        adapter = Artifacts.of(settings).fetch(path) if path else None
        return cls(settings.engines[0], champion.id, adapter=adapter)

    async def prepare(self, engine: Engine) -> None:
        """Have the champion's adapter loaded, where it is ours.

        Raises:
            EngineUnavailable, AdapterUnservable: it can't be.
        """
        if self.adapter is not None:
            await engine.load(self.model, self.adapter)

    async def ask(self, engine: Engine, messages: Sequence[Mapping[str, str]], **how: Any) -> str:
        """The answer's text to messages in OpenAI's form.

        Raises:
            EngineUnavailable: no answer, or none in OpenAI's form.
            EngineRefused: it doesn't want to.
        """
        body = {"model": self.model, "messages": list(messages), **how}
        headers = f"Authorization: Bearer {self.key.get_secret_value()}\r\n" if self.key else ""
        answer = await engine.chat(body, seconds=_ASK_SECONDS, headers=headers)
        try:
            return str(answer["choices"][0]["message"]["content"] or "")
        except (KeyError, IndexError, TypeError) as error:
            raise EngineUnavailable(
                f"{self.url} doesn't answer as OpenAI's API does; see UNDERSTUDY_AUGMENT_URL."
            ) from error
