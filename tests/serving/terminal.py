"""A person at a terminal, on the database alone."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.cli import understudy
from records.database import Database
from records.errors import UnderstudyError
from tests.conftest import install
from tests.stub_engine import add_version, publish_adapter


class Terminal:
    """Commands run as a person would, in one home folder."""

    def __init__(self, home: Path, assistant: Assistant, database: Database) -> None:
        folder = home / "assistants"
        folder.mkdir()
        (folder / "support.yaml").write_text(
            f"name: support\nsystem_prompt: x\nbase_model: {assistant.base_model}\n"
        )
        self.environment = {
            "UNDERSTUDY_HOME": str(home),
            "UNDERSTUDY_ASSISTANTS": str(folder),
        }
        self.artifacts = Artifacts(str(home / "artifacts"), cache=home / "cache")
        self.assistant, self.database = assistant, database
        install(database, assistant)

    def run(self, *arguments: str) -> Result:
        result = CliRunner().invoke(understudy, arguments, env=self.environment)
        if isinstance(result.exception, UnderstudyError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").output)

    def trained(self, seed: int = 1) -> str:
        name = publish_adapter(self.artifacts, self.assistant, seed=seed)
        return add_version(self.database, self.assistant, name)
