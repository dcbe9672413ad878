from __future__ import annotations

from dataclasses import fields

import pytest

from spanloom.agents.settings import LimitSettings
from spanloom.commands import settings
from spanloom.spans.limits import Limits


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SPANLOOM_KAFKA__PARTITIONS", "many", "SPANLOOM_KAFKA__PARTITIONS: input should be a valid integer"),
        (
            "SPANLOOM_KAFKA__PARTITIONS",
            "0",
            "SPANLOOM_KAFKA__PARTITIONS: input should be greater than or equal to 1",
        ),
        ("SPANLOOM_KAFKA__TOPIC", "x", "unknown setting SPANLOOM_KAFKA__TOPIC"),
        ("SPANLOOM_NOTHING", "x", "unknown setting SPANLOOM_NOTHING"),
        ("SPANLOOM_CLICKHOUSE__URL", "ftp://x", "the ClickHouse URL must look like"),
        ("SPANLOOM_KAFKA__HEARTBEAT_INTERVAL", "29", "at most half of session_timeout"),
        ("SPANLOOM_KAFKA__SECURITY_PROTOCOL", "SASL_SSL", "set SPANLOOM_KAFKA__SASL_USERNAME"),
        ("SPANLOOM_KAFKA__SSL_CERTFILE", __file__, "belong together"),
        ("SPANLOOM_KAFKA__SSL_CAFILE", "/nope", "correct SPANLOOM_KAFKA__SSL_CAFILE"),
        (
            "SPANLOOM_LIMITS__TEXT",
            "1",
            "SPANLOOM_LIMITS__TEXT: input should be greater than or equal to 1024",
        ),
        (
            "SPANLOOM_LIMITS__NESTING",
            "129",
            "SPANLOOM_LIMITS__NESTING: input should be less than or equal to",
        ),
        ("SPANLOOM_LIMITS__NAME", "2048", "SPANLOOM_LIMITS: name times labels must be at most 65,536"),
        ("SPANLOOM_LIMITS__DEPTH", "5", "unknown setting SPANLOOM_LIMITS__DEPTH"),
        (
            "SPANLOOM_WORKER__GROUP_INSTANCE_ID",
            "pod 0",
            "SPANLOOM_WORKER__GROUP_INSTANCE_ID: string should match",
        ),
        ("SPANLOOM_CLICKHOUSE__SETTINGS", "nojson", "SPANLOOM_CLICKHOUSE__SETTINGS is no JSON object"),
    ],
)
def test_an_impossible_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.SettingsError) as caught:
        settings.load()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "command"),
    [
        ("SPANLOOM_KAFKA__SASL_PASSWORD", "change-me", "openssl rand -hex 32"),
        ("SPANLOOM_CLICKHOUSE__PASSWORD", "Change-Me-too", "openssl rand -hex 32"),
        ("SPANLOOM_DASHBOARD__SECRET", "change-me" * 5, "openssl rand -hex 32"),
        ("SPANLOOM_DASHBOARD__CLICKHOUSE_PASSWORD", " change-me", "openssl rand -hex 32"),
        ("SPANLOOM_RECEIVER__KEYS", "shop:0011,default:change-me", "spanloom keys new"),
    ],
)
def test_the_placeholder_of_an_example_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, command: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.SettingsError) as caught:
        settings.load()
    assert str(caught.value).startswith(f"{name} is still the example's")
    assert command in str(caught.value)
    assert value.strip() not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOM_KAFKA__BOOTSTRAP_SERVERS", "one:9092,two:9092")
    monkeypatch.setenv("SPANLOOM_CLICKHOUSE__RETENTION__SPANS_DAYS", "30")
    monkeypatch.setenv("SPANLOOM_WORKER__RETENTION", "7200")
    loaded = settings.load()
    assert loaded.kafka.bootstrap_servers == "one:9092,two:9092"
    assert loaded.clickhouse.retention.spans_days == 30
    assert loaded.worker.retention == 7200


def test_the_limits_are_settings_and_their_defaults_those_of_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.load().limits.limits() == Limits()
    monkeypatch.setenv("SPANLOOM_LIMITS__NESTING", "3")
    monkeypatch.setenv("SPANLOOM_LIMITS__NAME", "4096")
    monkeypatch.setenv("SPANLOOM_LIMITS__LABELS", "16")
    assert settings.load().limits.limits() == Limits(nesting=3, name=4096, labels=16)
    assert {field.name for field in fields(Limits)} == set(LimitSettings.model_fields)


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOM_KAFKA__SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("SPANLOOM_CLICKHOUSE__PASSWORD", "hunter2")
    assert "hunter2" not in repr(settings.load())
    monkeypatch.setenv("SPANLOOM_CLICKHOUSE__URL", "http://me:hunter2@host:8123")
    with pytest.raises(settings.SettingsError) as caught:
        settings.load()
    assert "hunter2" not in str(caught.value)


def test_every_variable_has_a_description() -> None:
    variables = list(settings.variables())
    assert len({variable.name for variable in variables}) == len(variables) > 30
    assert all(variable.description.endswith(".") for variable in variables)
