"""Whatever is sent, the law holds (tests/fuzz/law.py). `make fuzz` drives the same tests by coverage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.limits import Limits
from tests.fuzz import targets
from tests.fuzz.law import holds
from tests.fuzz.strategies import json_requests, requests


@given(st.lists(requests(), min_size=1, max_size=2))
def test_any_attributes_under_any_keys(values: list[bytes]) -> None:
    holds(*values)


@given(json_requests())
def test_any_json_at_any_place(value: bytes) -> None:
    holds(value)


@given(requests(), st.data())
def test_any_damage_to_any_request(value: bytes, data: st.DataObject) -> None:
    damaged = bytearray(value)
    for _ in range(data.draw(st.integers(1, 5)) if damaged else 0):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    holds(bytes(damaged), value)


_NARROW = Limits(
    text=10,
    name=5,
    labels=2,
    value=8,
    attributes=3,
    resource=20,
    events=1,
    event_attributes=1,
    spans=5,
    rejects=1,
)


@given(requests())
def test_limits_hold_whatever_is_sent(value: bytes) -> None:
    holds(value, limits=_NARROW)


def test_a_seed_of_text_is_a_recorded_text_under_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    monkeypatch.setattr(targets, "_one_span", given.append)
    for seed in targets.seeds("text"):
        targets.text(seed)
    assert {"gen_ai.response.model": "gpt-4o-mini-2024-07-18"} in given
