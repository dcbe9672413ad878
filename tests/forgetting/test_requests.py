"""Selections and requests to forget, as values."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.forgetting.requests import NoRequest, NotTaken, Request, Requests, decode, encode
from spanloom.forgetting.selection import KINDS, Kind, Selection, SelectionError
from spanloom.kafka.settings import KafkaSettings
from spanloom.local.ports import free_port
from spanloom.spans.text.ids import LONGEST_ID

_TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=2000)
_GIVEN: dict[Kind, st.SearchStrategy[str]] = {
    "session": _TEXTS,
    "user": _TEXTS,
    "trace": st.text("0123456789abcdefABCDEF", min_size=32, max_size=32),
    "before": st.datetimes().filter(lambda time: time.year >= 1970).map(str),
}


@given(_TEXTS, _TEXTS, _TEXTS, st.sampled_from(KINDS), st.data())
def test_any_request_comes_back_as_written(
    name: str, who: str, project: str, kind: Kind, data: st.DataObject
) -> None:
    request = Request(name, who, Selection.of(project, kind, data.draw(_GIVEN[kind])))
    assert decode(encode(request)) == request


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stands_for_nothing(kind: Kind) -> None:
    for project, value in (("", "something"), ("shop", "")):
        with pytest.raises(SelectionError, match="a name that is empty stands for nothing"):
            Selection.of(project, kind, value)


def test_a_long_id_means_what_is_stored_of_it() -> None:
    found = Selection.of("shop", "session", "s" * 5000)
    assert len(found.value) == LONGEST_ID
    assert found != Selection.of("shop", "session", "s" * 5001)


_GOOD = {"id": "1", "who": "ada", "project": "shop", "kind": "session", "value": "s"}


@pytest.mark.parametrize(
    "record",
    [
        None,
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"[" * 100_000,
        json.dumps(_GOOD | {"more": "1"}).encode(),
        json.dumps({name: value for name, value in _GOOD.items() if name != "who"}).encode(),
        json.dumps(_GOOD | {"value": ""}).encode(),
        json.dumps(_GOOD | {"value": 7}).encode(),
        json.dumps(_GOOD | {"value": "\ud800"}).encode(),
        json.dumps(_GOOD | {"kind": "everything"}).encode(),
        json.dumps(_GOOD | {"kind": "trace", "value": "%"}).encode(),
        json.dumps(_GOOD | {"kind": "before", "value": "soon"}).encode(),
    ],
)
def test_what_is_no_request_is_told_from_one(record: bytes | None) -> None:
    with pytest.raises(NoRequest):
        decode(record)


def test_a_request_is_not_taken_while_nobody_answers() -> None:
    async def append(port: int) -> None:
        selection = Selection.of("shop", "session", "s")
        settings = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}")
        await Requests(settings).append(Request("1", "ada", selection))

    with pytest.raises(NotTaken, match="Kafka did not take the request"):
        asyncio.run(append(free_port()))
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(NotTaken, match="Kafka did not take"),
    ):
        asyncio.run(append(silent.getsockname()[1]))
