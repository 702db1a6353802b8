"""Settings that every process shares, read from the environment once, at its start.

Each process has its own frozen class derived from `Settings`; only `__main__`-like entry points
(the command line) read it, everything else gets it as an argument.
"""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from records.errors import ConfigurationError
from records.offline import go_offline

_REPOSITORY = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where state lies and who may do what."""

    model_config = SettingsConfigDict(
        env_prefix="UNDERSTUDY_", frozen=True, populate_by_name=True, extra="ignore"
    )

    home: Path = Field(default=Path("var"), description="Folder for all state of this machine.")
    database_url: str = Field(
        default="", description="SQLAlchemy URL; default: SQLite at <home>/understudy.db."
    )
    artifacts_url: str = Field(
        default="", description="Folder or fsspec URL for datasets, adapters, reports."
    )
    artifacts_endpoint: str = Field(
        default="",
        description="Address of the store's server, where it is not the cloud's own (MinIO, Ceph).",
    )
    engine_urls: str = Field(
        default="",
        description="vLLM servers, comma-separated; set, no engine of our own is started.",
    )
    engine_port: int = Field(default=8100, description="Port of our own engine, on loopback.")
    trainer_memory_share: float = Field(
        default=0.0,
        ge=0,
        le=0.8,
        description="Share of the accelerator's memory that trainings may take; an engine that is "
        "started here leaves it to them. 0: the engine takes its usual share, trainings the rest.",
    )
    assistants: Path = Field(
        default=_REPOSITORY / "deploy" / "assistants",
        description="Folder of assistants' YAML files.",
    )
    admin_key: SecretStr | None = Field(
        default=None, description="Key for the admin API; unset, a key is made in <home>."
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("engine_urls")
    @classmethod
    def _reachable(cls, value: str) -> str:
        for url in value.split(","):
            if url.strip() and not url.strip().startswith(("http://", "https://")):
                raise ValueError(f"{url.strip()!r} is no address; write http://HOST:PORT")
        return value

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment.

        Raises:
            ConfigurationError: with one line for each setting that cannot be used.
        """
        go_offline()
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise ConfigurationError(_sentence(error, cls.model_config["env_prefix"])) from error

    @property
    def database(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'understudy.db'}"

    @property
    def artifacts(self) -> str:
        """The artifact store's URL or folder, the default filled in."""
        return self.artifacts_url or str(self.home / "artifacts")

    @property
    def engines(self) -> tuple[str, ...]:
        """Base URLs of the engines, without a trailing slash."""
        urls = [url.strip().rstrip("/") for url in self.engine_urls.split(",") if url.strip()]
        return tuple(urls) or (f"http://127.0.0.1:{self.engine_port}",)

    @property
    def own_engine(self) -> bool:
        """Whether an engine is to be started here."""
        return not self.engine_urls.strip()


def make_folder(folder: Path) -> None:
    """Make a folder for state, readable by nobody else, unless it is there.

    Raises:
        ConfigurationError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} cannot be made ({error.strerror}). Set UNDERSTUDY_HOME to one "
            "that you may write to."
        ) from error


def _sentence(error: ValidationError, prefix: str) -> str:
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        setting = name if name.isupper() else f"{prefix}{name.upper()}"
        lines.append(f"Set {setting} rightly: {problem['msg']}.")
    return "\n".join(lines)
