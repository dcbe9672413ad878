"""With API keys, each SDK's own way of naming one leads to its project; a wrong one is refused, and the SDK says so."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

from tests.clients.cases import KEY, Case, case
from tests.clients.conftest import PROJECT, Keyed
from tests.clients.environments import without_node
from tests.clients.running import Ran, Stack, two_turns

pytestmark = [pytest.mark.clients, pytest.mark.stack]

_REFUSED = re.compile(r"\b401\b|UNAUTHENTICATED|Unauthorized")


class Way(NamedTuple):
    """How a client is given a key."""

    case: Case
    headers: str = ""
    """OTEL_EXPORTER_OTLP_HEADERS, for exporters that read it; '' where the key stands in the program."""

    def with_key(self, key: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return the edits and the environment that give it a key."""
        if not self.headers:
            return {KEY: key}, {}
        return {}, {"OTEL_EXPORTER_OTLP_HEADERS": self.headers.format(quote(key))}


_BEARER = "authorization=Bearer%20{}"
_OWN_HEADER = "x-api-key={}"

WAYS = {
    "Laminar, Python, gRPC": Way(case("Laminar, Python, gRPC")),
    "Laminar, Python, HTTP": Way(case("Laminar, Python, HTTP")),
    "Laminar, TypeScript, gRPC": Way(case("Laminar, TypeScript, gRPC")),
    "OpenTelemetry, Python, gRPC": Way(case("OpenTelemetry, Python, gRPC"), _BEARER),
    "OpenTelemetry, Python, gRPC, x-api-key": Way(case("OpenTelemetry, Python, gRPC"), _OWN_HEADER),
    "OpenTelemetry, Python, HTTP/protobuf": Way(case("OpenTelemetry, Python, HTTP/protobuf"), _BEARER),
    "OpenTelemetry, Python, HTTP/JSON": Way(case("OpenTelemetry, Python, HTTP/JSON"), _BEARER),
    "OpenTelemetry, JavaScript, gRPC": Way(case("OpenTelemetry, JavaScript, gRPC"), _BEARER),
    "OpenTelemetry, JavaScript, HTTP/protobuf, x-api-key": Way(
        case("OpenTelemetry, JavaScript, HTTP/protobuf"), _OWN_HEADER
    ),
    "OpenTelemetry, JavaScript, HTTP/JSON": Way(case("OpenTelemetry, JavaScript, HTTP/JSON"), _BEARER),
    "Langfuse, Python, Basic": Way(case("Langfuse, Python, HTTP")),
    "Traceloop, Python, HTTP": Way(case("Traceloop, Python, HTTP")),
    "Traceloop, Python, gRPC": Way(case("Traceloop, Python, gRPC")),
}


def _run(way: Way, key: str, session: str, keyed: Keyed, folder: Path) -> Ran:
    if way.case.is_javascript and (reason := without_node()):
        pytest.skip(reason)
    edits, environment = way.with_key(key)
    return keyed.receiver.run(way.case, session, folder, edits=edits, environment=environment)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_right_key_leads_to_its_project(way: Way, keyed: Keyed, stack: Stack, tmp_path: Path) -> None:
    session = f"session-{uuid.uuid4().hex}"
    ran = _run(way, keyed.key, session, keyed, tmp_path)
    assert ran.code == 0, ran.output
    stack.wait_for_session(session, two_turns(way.case, PROJECT))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_wrong_key_is_refused_and_stores_nothing(way: Way, keyed: Keyed, tmp_path: Path) -> None:
    transport = way.case.transport
    refused = f'spanloom_receiver_requests_total{{outcome="no_key",transport="{transport}"}}'
    stored = "spanloom_receiver_messages_total"
    before = keyed.receiver.metric(refused), keyed.receiver.metric(stored)
    ran = _run(way, "sl_wrong", f"session-{uuid.uuid4().hex}", keyed, tmp_path)
    after = keyed.receiver.metric(refused), keyed.receiver.metric(stored)
    assert 1 <= after[0] - before[0] <= 2  # at most once for each turn: no SDK tries again
    assert after[1] == before[1]
    assert _REFUSED.search(ran.output), ran.output
