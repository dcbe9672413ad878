"""Where a span's values come from, out of what is stored, for those who ask."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pyarrow as pa
import pytest

from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.pages import explanation
from spanloom.dashboard.settings import DashboardSettings
from spanloom.spans.conventions.own_entries import read_own_keys
from spanloom.spans.conventions.own_keys import with_own_keys
from spanloom.spans.limits import Limits
from spanloom.spans.reading.decode import OtlpMessage, decode
from spanloom.warehouse.client import Warehouse
from tests.dashboard.visitor import Visitor, visitor
from tests.spans.reading.otlp_examples import PARENT_ID, PRICES, SPAN_ID, TRACE_ID, request, span
from tests.warehouse.tables import put

TRACE = TRACE_ID.hex()


@pytest.fixture
def somebody(warehouse: Warehouse) -> Visitor:
    return visitor(warehouse)


@pytest.fixture
def call(warehouse: Warehouse, project: str) -> str:
    """A trace of an agent and a call below it, as a worker with small limits stores them."""
    usage = {"gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 4}
    agent = span(
        {"gen_ai.conversation.id": "made up", "langfuse.observation.type": "agent"} | usage, span_id=PARENT_ID
    )
    chat = span(
        {
            "session.id": "theirs",
            "gen_ai.conversation.id": "made up",
            "acme": "mine",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "<asked>",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.usage.total_tokens": 34,
            "gen_ai.usage.cached_tokens": 9,
            "gen_ai.input.messages": '[{"role":"user","content":"Why?"}]',
            "ai.prompt": "x" * 100,
        }
        | usage,
        parent_span_id=PARENT_ID,
        name="chat",
    )
    message = OtlpMessage(request(agent, chat), project)
    table = decode([message], limits=Limits(value=64), prices=PRICES).table
    versions = pa.array(np.ones(table.num_rows, np.uint64))
    put(warehouse, "spans_versions", table.append_column("version", versions))
    return project


def asked(somebody: Visitor, project: str, span_id: bytes = SPAN_ID, status: int = 200) -> str:
    answer = somebody.get(f"/traces/{TRACE}/spans/{span_id.hex()}/explanation?project={project}")
    assert answer.status_code == status
    return answer.text


def plain(html: str) -> str:
    """The text of a fragment, line by line."""
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", html).split()))


def test_each_value_has_its_attribute_and_what_lost(somebody: Visitor, call: str) -> None:
    html = asked(somebody, call)
    text = plain(html)
    assert "session_id theirs from session.id not made up from gen_ai.conversation.id" in text
    assert "model gpt-4o from gen_ai.response.model not <asked> from gen_ai.request.model" in text
    assert "<asked>" not in html
    assert "tokens the total is input and output, so the parts are inside" in text
    assert "cost its tokens by the price of gpt-4o" in text
    assert "in its trace its tokens count" in text


def test_what_was_cut_is_said(somebody: Visitor, call: str) -> None:
    assert "What was cut when it was stored is missing here: attributes" in plain(asked(somebody, call))


def test_a_span_around_calls_is_told_what_it_counts_for(somebody: Visitor, call: str) -> None:
    text = plain(asked(somebody, call, PARENT_ID))
    # With the root the whole trace is told.
    chat = f"chat ({SPAN_ID.hex()})"
    assert (
        f"the trace's session theirs from session.id on {chat} not made up from gen_ai.conversation.id"
        in text
    )
    assert f"the trace's input Why? the user's last message in {chat}, the first main call" in text
    assert "the trace's" not in plain(asked(somebody, call))
    assert "was cut" not in text


def test_of_a_long_trace_only_the_span_itself_is_explained(
    somebody: Visitor, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explanation, "MOST_SPANS", 1)
    text = plain(asked(somebody, call))
    assert "session_id theirs from session.id" in text
    assert "The trace is too long to say here what the span counts for" in text


def test_keys_of_ones_own_are_known_here_too(warehouse: Warehouse, somebody: Visitor, call: str) -> None:
    own = with_own_keys(read_own_keys([{"name": "acme", "field": "session_id"}]), "keys.toml")
    knowing = Visitor(dashboard_app(warehouse, DashboardSettings(), own))
    text = plain(asked(knowing, call))
    # The worker did not know them when it read the span.
    assert "session_id is stored as theirs and would be mine now" in text
    assert "session_id mine from acme not theirs from session.id" in text
    assert "would be" not in plain(asked(somebody, call))


def test_the_panel_leads_there(somebody: Visitor, call: str) -> None:
    panel = somebody.get(f"/traces/{TRACE}/spans/{SPAN_ID.hex()}?project={call}").text
    address = f"/traces/{TRACE}/spans/{SPAN_ID.hex()}/explanation?project={call}"
    assert f'data-part="{address}"' in panel
    assert f'<a href="{address}">' in panel


def test_there_is_no_such_span(somebody: Visitor, call: str) -> None:
    assert "There is no such span" in asked(somebody, call, bytes(7) + b"\1", 404)
    assert "There is no such span" in asked(somebody, "another", status=404)
