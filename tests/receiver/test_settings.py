"""Impossible settings are refused in a sentence that says what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from spanloom.receiver.keys import hash_of
from spanloom.receiver.settings import ReceiverSettings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"host": "0.0.0.0"}, "set SPANLOOM_RECEIVER__KEYS_FILE"),
        ({"host": "::"}, "anybody could send"),
        ({"host": "collector.example"}, "anybody could send"),
        ({"tls_certfile": "a.pem"}, "set both or none"),
        ({"tls_keyfile": "a.pem"}, "set both or none"),
        ({"max_message_bytes": 2**20}, "max_message_bytes is below max_body_bytes"),
        ({"max_bytes": 2**21}, "one request could never fit"),
    ],
)
def test_an_impossible_setting_is_reported_in_a_sentence(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as error:
        ReceiverSettings(**given)
    assert says in str(error.value)


def test_with_keys_any_address_will_do() -> None:
    assert not ReceiverSettings(host="0.0.0.0", keys=f"shop:{hash_of('k').hex()}").is_open


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").touch()
    assert ReceiverSettings(keys_file=str(tmp_path / "keys")).missing_file() is None
    assert ReceiverSettings(keys_file=str(tmp_path / "none")).missing_file() == "keys_file"
    certificate = ReceiverSettings(tls_certfile=str(tmp_path / "keys"), tls_keyfile=str(tmp_path / "none"))
    assert certificate.missing_file() == "tls_keyfile"
