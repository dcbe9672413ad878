"""All settings, from the environment: `SPANLOOM_KAFKA__BOOTSTRAP_SERVERS`, `SPANLOOM_CLICKHOUSE__URL`, …"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as BrokenSettings

from spanloom.agents.settings import LimitSettings, WorkerSettings
from spanloom.dashboard.settings import DashboardSettings
from spanloom.forgetting.settings import ForgetterSettings
from spanloom.kafka.settings import KafkaSettings
from spanloom.receiver.settings import ReceiverSettings
from spanloom.warehouse.settings import ClickHouseSettings

PREFIX = "SPANLOOM_"

PLACEHOLDER = "change-me"
"""How the value of a setting begins in the examples of deploy/ where a secret belongs."""

_HOW_TO_MAKE = {
    f"{PREFIX}RECEIVER__KEYS": "`spanloom keys new PROJECT` makes an API key and its hash",
    f"{PREFIX}KAFKA__SASL_PASSWORD": "`openssl rand -hex 32` makes a good one, for the broker too",
}
_RANDOM = "`openssl rand -hex 32` makes a good one"


class SettingsError(Exception):
    """A setting is unknown or impossible; the message says which and what to change."""


class Settings(BaseSettings):
    """The settings of every command, one object a part."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid")

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    clickhouse: ClickHouseSettings = Field(default_factory=ClickHouseSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    receiver: ReceiverSettings = Field(default_factory=ReceiverSettings)
    dashboard: DashboardSettings = Field(default_factory=DashboardSettings)
    forgetter: ForgetterSettings = Field(default_factory=ForgetterSettings)


class Variable(NamedTuple):
    """One environment variable: for the documentation and for finding misspelled ones."""

    name: str
    default: str
    description: str


def load() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: one is unknown or impossible, or an example's placeholder. The message never shows a value: it
            may be a secret.
    """
    known = {variable.name for variable in variables()}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise SettingsError(
            f"unknown setting {unknown[0]}: unset it, or see docs/configuration.md for the names there are"
        )
    _refuse_placeholders()
    try:
        return Settings()
    except BrokenSettings:
        # The only settings that are not plain are read as JSON; the library's message does not name the variable.
        raise SettingsError(
            f'{PREFIX}CLICKHOUSE__SETTINGS is no JSON object: write it as {{"insert_quorum": "2"}}'
        ) from None
    except ValidationError as error:
        problem = error.errors(include_input=False, include_context=False)[0]
        message = problem["msg"].removeprefix("Value error, ")
        name = PREFIX + "__".join(str(part) for part in problem["loc"]).upper()
        raise SettingsError(f"{name}: {message[:1].lower()}{message[1:]}") from None


def _refuse_placeholders() -> None:
    # Whatever the setting: none has a use for such a value, and a new secret needs no mention here.
    for name, value in os.environ.items():
        # The keys of the receiver are pairs, `project:hash`.
        parts = (part.rpartition(":")[2] for part in value.split(","))
        if name.startswith(PREFIX) and any(part.strip().lower().startswith(PLACEHOLDER) for part in parts):
            how = _HOW_TO_MAKE.get(name.upper(), _RANDOM)
            raise SettingsError(
                f"{name} is still the example's, which everybody knows: set one of your own; {how}"
            )


def variables() -> Iterator[Variable]:
    """Return every environment variable that spanloom reads."""
    for part, info in Settings.model_fields.items():
        yield from _variables_of(info.annotation, f"{PREFIX}{part}".upper())


def _variables_of(model: object, prefix: str) -> Iterator[Variable]:
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    for name, field in model.model_fields.items():
        variable = f"{prefix}__{name}".upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _variables_of(field.annotation, variable)
            continue
        default = "" if field.default_factory else field.default
        shown = default.get_secret_value() if isinstance(default, SecretStr) else default
        yield Variable(variable, "" if shown is None else str(shown), field.description or "")
