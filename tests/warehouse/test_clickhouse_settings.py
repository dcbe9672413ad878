"""Impossible settings stop the start with a sentence that says what to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from spanloom.warehouse.settings import ClickHouseSettings, RetentionSettings


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("http://127.0.0.1:8123", "127.0.0.1", 8123, False),
        ("http://clickhouse", "clickhouse", 8123, False),
        ("https://clickhouse/", "clickhouse", 8443, True),
        ("https://[::1]:9440", "::1", 9440, True),
    ],
)
def test_a_url_names_host_port_and_protection(url: str, host: str, port: int, secure: bool) -> None:
    settings = ClickHouseSettings(url=url)
    assert (settings.host, settings.port, settings.secure) == (host, port, secure)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("clickhouse:8123", "must look like http://host:8123"),
        ("clickhouse://host:9000", "must look like http://host:8123"),
        ("http://", "must look like http://host:8123"),
        ("http://host:port", "port must be a number from 1 to 65535"),
        ("http://host:99999", "port must be a number from 1 to 65535"),
        ("http://host:8123/spanloom", "SPANLOOM_CLICKHOUSE__DATABASE"),
        ("http://host:8123?user=x", "must end after the port"),
        ("http://me:secret@host:8123", "SPANLOOM_CLICKHOUSE__PASSWORD"),
    ],
)
def test_a_wrong_url_says_how_a_right_one_looks(url: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ClickHouseSettings(url=url)
    [error] = caught.value.errors(include_input=False)
    assert sentence in error["msg"]
    assert "secret" not in error["msg"]


def test_tls_settings_must_fit_each_other(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.touch()
    with pytest.raises(ValidationError, match="not https://: change one of them"):
        ClickHouseSettings(url="http://host", cafile=pem)
    with pytest.raises(ValidationError, match="verify is off: remove one of them"):
        ClickHouseSettings(url="https://host", cafile=pem, verify=False)
    with pytest.raises(ValidationError, match="does not point to a file"):
        ClickHouseSettings(url="https://host", cafile=tmp_path / "nowhere.pem")


@pytest.mark.parametrize("name", ["", "a-b", "a.b", "1a", "a b", "a`b"])
def test_a_database_needs_a_plain_name(name: str) -> None:
    with pytest.raises(ValidationError, match="letters, digits and underscores only"):
        ClickHouseSettings(database=name)


def test_a_retention_is_a_whole_number_of_days() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        RetentionSettings(spans_days=0)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(ClickHouseSettings.model_validate({"password": "secret"}))


def test_every_setting_is_described() -> None:
    for model in (ClickHouseSettings, RetentionSettings):
        for field in model.model_fields.values():
            assert (field.description or "").endswith(".")
