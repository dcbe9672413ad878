"""What every server can be told: which addresses are this machine's alone, and how its connections are bounded."""

from __future__ import annotations

import pytest

from spanloom.connections.settings import ServerSettings, split


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert ServerSettings(host=host).is_loopback == loopback


def test_one_address_gets_half_of_the_connections_unless_told_otherwise() -> None:
    half = ServerSettings(max_connections=9).count()
    assert (half.most, half.most_per_network) == (9, 4)
    told = ServerSettings(max_connections=9, max_connections_per_address=7).count()
    assert (told.most, told.most_per_network) == (9, 7)


def test_parts_are_separated_by_commas() -> None:
    assert split(" a, b ,,c,") == ["a", "b", "c"]
    assert split("") == []
