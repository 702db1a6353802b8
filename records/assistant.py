"""An assistant: one task being served, described by a YAML file.

The parts validate their own sections (`data` and `recipe` by tuning, `gate` by evaluation); here
they are plain mappings so that `records` need not know them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from records.errors import ConfigurationError, NotFound
from records.hours import Hours, Weekday, Zone
from records.messages import ChatMessage
from records.patterns import pattern_of
from records.states import EscalationReason


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Generation(_Section):
    """How answers are sampled. Temperature 0 is greedy."""

    max_tokens: int = Field(default=256, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    logprobs: bool = Field(
        default=False,
        description="Ask the engine how sure it is of each token, and record it with the answer. "
        "Costs a small engine a good part of its speed; always on with a min_confidence.",
    )


class EngineOptions(_Section):
    """How the engine of this assistant's base model is started."""

    max_model_len: int = Field(default=2048, description="Longest prompt plus answer, in tokens.")
    dtype: str = "auto"
    load_format: str = Field(default="auto", description="`dummy` gives random weights.")
    max_lora_rank: int = 16
    max_loras: int = Field(default=2, description="Adapters in one batch.")
    max_cpu_loras: int = Field(default=8, description="Adapters kept in memory.")
    kv_cache_memory: str = Field(default="", description="Such as 128M; empty: the engine's own.")
    extra_arguments: tuple[str, ...] = ()


class SlackRoute(_Section):
    """Escalations that go to another channel: all conditions that are given must hold."""

    channel: str = Field(description="Channel id or name for these escalations' cards.")
    reasons: tuple[EscalationReason, ...] = Field(default=(), description="Empty: any reason.")
    pattern: str = Field(
        default="",
        description="A regular expression for what the customer asked; letter case is ignored.",
    )

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not self.reasons and not self.pattern:
            raise ValueError("a route needs reasons or a pattern")
        pattern_of(self.pattern)
        return self


class SlackOptions(_Section):
    """Where the assistant's team works, and who may do what.

    People are named by the ids of Slack users (U…) or user groups (S…).
    """

    workspace: str = Field(
        default="", description="Id (T…) of the workspace, where the app is installed in several."
    )
    channel: str = Field(default="support", description="Channel id or name for cards.")
    routes: tuple[SlackRoute, ...] = Field(
        default=(), description="The first that fits names the channel of an escalation's card."
    )
    operators: tuple[str, ...] = Field(
        default=(), description="May retrain, start experiments, promote, roll back; empty: all."
    )
    reviewers: tuple[str, ...] = Field(
        default=(), description="May approve and reject examples; empty: all."
    )
    four_eyes: bool = Field(
        default=False, description="Who flagged or wrote an example can't approve it."
    )
    two_person_promotion: bool = Field(
        default=False, description="A promotion needs the word of two operators."
    )
    remind_minutes: float = Field(
        default=10, ge=0, description="Unclaimed for so long: a reminder in the thread; 0: none."
    )
    on_call: str = Field(default="", description="Who is pinged if still nobody has it.")
    on_call_minutes: float = Field(
        default=20, ge=0, description="Unclaimed for so long: those on call are pinged."
    )
    edit_minutes: float = Field(
        default=10,
        ge=0,
        description="How long edits and deletions of a reply reach the customer; 0: never.",
    )
    unread_minutes: float = Field(
        default=2,
        ge=0,
        description="A reply that no customer had after so long is said to be unread; 0: never.",
    )
    flag_reaction: str = Field(
        default="triangular_flag_on_post", description="Emoji that flags an answer; empty: none."
    )
    example_cards: bool = Field(
        default=True, description="Show each proposed example in the thread of its conversation."
    )


class RetrainOptions(_Section):
    """When an assistant is retrained without being asked."""

    after_examples: int = Field(
        default=0, ge=0, description="So many newly approved examples; 0: never by number."
    )
    days: tuple[Weekday, ...] = Field(default=(), description="On these weekdays; empty: never.")
    at: time = Field(default=time(3, 0), description="The time of day for them, such as 03:00.")
    timezone: Zone = Field(default="UTC", description="Such as Europe/Berlin.")


class PolicyRule(_Section):
    """What customers write that a person must handle; the model is not asked then."""

    name: str = Field(min_length=1, max_length=80)
    pattern: str = Field(default="", description="A regular expression; letter case is ignored.")
    like: tuple[str, ...] = Field(
        default=(), description="A topic, by examples of how customers put it."
    )
    likeness: float = Field(
        default=0.6, gt=0, le=1, description="How alike an example must be: 1 is the same words."
    )
    sentence: str = Field(default="", description="What the customer reads, if not the usual.")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if bool(self.pattern) == bool(self.like):
            raise ValueError("a rule has either a pattern or examples (like)")
        pattern_of(self.pattern)
        return self


class EscalationOptions(_Section):
    """When a person is asked for though the model did not ask."""

    phrases: tuple[str, ...] = Field(
        default=(), description="Words by which customers ask for a person."
    )
    rules: tuple[PolicyRule, ...] = ()
    min_confidence: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Least mean probability per token of an answer that is given; less is held "
        "back, and so is every answer until it is whole.",
    )
    hours: Hours | None = Field(default=None, description="When the team works; unset: always.")


class Assistant(_Section):
    """One task being served: prompt, base model, sentences, gate."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$", description="Also the API's model name.")
    description: str = ""
    system_prompt: str
    base_model: str = Field(description="A folder (relative to this file) or a hub name.")
    handoff_marker: str = "[handoff]"
    handoff_sentence: str = "I'm handing you over to a colleague, who will reply here."
    unavailable_sentence: str = (
        "I can't answer right now. I've asked a colleague to reply to you here."
    )
    waiting_sentence: str = "Your message has been passed on to the colleague who is helping you."
    escalation: EscalationOptions = EscalationOptions()
    generation: Generation = Generation()
    engine: EngineOptions = EngineOptions()
    slack: SlackOptions = SlackOptions()
    retrain: RetrainOptions = RetrainOptions()
    cases: str | None = Field(default=None, description="File of frozen cases for the gate.")
    forgetting_cases: str | None = Field(
        default=None,
        description="File of cases of old skills, which must not be forgotten; unset: accepted "
        "answers that are kept apart from training for it.",
    )
    data: dict[str, Any] = Field(default_factory=dict)
    recipe: dict[str, Any] = Field(default_factory=dict)
    gate: dict[str, Any] = Field(default_factory=dict)

    @property
    def base_version(self) -> str:
        """The id of the version without an adapter."""
        return f"{self.name}-base"

    def handover_words(self, now: datetime, *, sentence: str = "") -> str:
        """What a customer reads when a person is asked for at that moment."""
        return self.with_hours(sentence or self.handoff_sentence, now)

    def with_hours(self, said: str, now: datetime) -> str:
        """Words about a handover, with the sentence for times when nobody works."""
        hours = self.escalation.hours
        if hours is None or hours.are_open(now):
            return said
        return f"{said} {hours.closed_sentence}".strip()

    def engine_request(
        self,
        chat: Sequence[ChatMessage],
        parameters: Mapping[str, Any] | None = None,
        *,
        logprobs: bool = False,
    ) -> dict[str, Any]:
        """The request to the engine, but for the model's name; serving and evaluation share it.

        `chat` is the whole prompt, the system prompt included; `parameters` are a client's own.
        Log-probabilities, which change nothing of what is said, are asked for with `logprobs` and
        where the assistant wants them.
        """
        body: dict[str, Any] = {"temperature": self.generation.temperature, **(parameters or {})}
        if not {"max_tokens", "max_completion_tokens"} & body.keys():
            body["max_tokens"] = self.generation.max_tokens
        body["messages"] = list(chat)
        if logprobs or self.generation.logprobs or self.escalation.min_confidence is not None:
            body["logprobs"] = True
        return body


def read_assistant(path: Path) -> Assistant:
    """Read one assistant's file; relative paths in it become absolute.

    Raises:
        ConfigurationError: not readable, not UTF-8, not YAML, or an unknown or wrong key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assistant = Assistant.model_validate(content)
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from error
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise ConfigurationError(f"{path}: {where}: {problem['msg']}.") from error
    folder = path.resolve().parent
    local = folder / assistant.base_model
    changes = {
        "base_model": str(local.resolve()) if local.is_dir() else assistant.base_model,
        "cases": str(folder / assistant.cases) if assistant.cases else None,
        "forgetting_cases": (
            str(folder / assistant.forgetting_cases) if assistant.forgetting_cases else None
        ),
        "recipe": _with_file(assistant.recipe, folder),
    }
    return assistant.model_copy(update=changes)


def _with_file(recipe: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A recipe that begins from a file beside the assistant's: the path made absolute."""
    named = recipe.get("from")
    if isinstance(named, str) and named.endswith((".yaml", ".yml")):
        return {**recipe, "from": str(folder / named)}
    return recipe


def read_assistants(folder: Path) -> dict[str, Assistant]:
    """All assistants of a folder by name.

    Raises:
        ConfigurationError: no file there, two of one name, or one that cannot be read.
    """
    assistants: dict[str, Assistant] = {}
    for path in sorted(folder.glob("*.yaml")):
        assistant = read_assistant(path)
        if assistant.name in assistants:
            raise ConfigurationError(f"{path}: another file already names {assistant.name!r}.")
        assistants[assistant.name] = assistant
    if not assistants:
        raise ConfigurationError(
            f"No assistant in {folder}: put a YAML file there or set UNDERSTUDY_ASSISTANTS."
        )
    return assistants


def pick_assistant(assistants: dict[str, Assistant], name: str | None) -> Assistant:
    """The assistant of that name, or the only one where no name is given.

    Raises:
        NotFound: no such name, or several and no name given.
    """
    if name is None and len(assistants) == 1:
        return next(iter(assistants.values()))
    if name in assistants:
        return assistants[name]
    raise NotFound(f"No assistant {name!r}; there are: {', '.join(sorted(assistants))}.")
