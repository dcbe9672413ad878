"""Spans without a model: the requests of a service, ten a trace, and traces of thousands."""

from __future__ import annotations

from random import Random

from benchmarks.load.attributes import Attributes
from benchmarks.load.texts import Texts
from benchmarks.load.turns import Conversation, LoadSpan, TurnUsage, new_trace

PLAIN = 10
"""Spans of a trace of a service."""

LONG = 5_000
"""Spans of a long trace."""

_DEPTH = 8  # levels of a long trace


def plain_turn(
    conversation: Conversation,
    random: Random,
    texts: Texts,  # noqa: ARG001  (none here)
    start: int,
) -> tuple[list[LoadSpan], TurnUsage]:
    """Make one trace that starts at `start` (nanoseconds), and what is true of it."""
    return _requests(conversation, random, start, PLAIN, depth=2)


def long_turn(
    conversation: Conversation,
    random: Random,
    texts: Texts,  # noqa: ARG001  (none here)
    start: int,
) -> tuple[list[LoadSpan], TurnUsage]:
    """The same of a trace that goes on and on."""
    return _requests(conversation, random, start, LONG, depth=_DEPTH)


def _requests(
    conversation: Conversation, random: Random, start: int, spans: int, depth: int
) -> tuple[list[LoadSpan], TurnUsage]:
    trace = new_trace(random, start)
    root = trace.new_id()
    parents = [root]
    for number in range(spans - 1):
        begun = trace.later(1, 2)
        trace.later(1, 30)
        own = trace.new_id()
        error = "connection reset" if random.random() < 0.005 else ""
        trace.usage.errors += bool(error)
        name, found = _client(random, number)
        trace.add(name, found, start=begun, parent=parents[-1], span_id=own, service="backend", error=error)
        if len(parents) < depth and random.random() < 0.5:
            parents.append(own)
        elif len(parents) > 1 and random.random() < 0.5:
            parents.pop()
    trace.later(1, 2)
    found = {
        "http.request.method": "POST",
        "http.route": "/v1/orders",
        "http.response.status_code": 200,
        "url.path": "/v1/orders",
        "server.address": "shop.internal",
        "user.id": conversation.user_id,
    }
    if conversation.session_id:
        found["session.id"] = conversation.session_id
    trace.add("POST /v1/orders", found, start=start, parent=b"", span_id=root, service="backend")
    return trace.spans, trace.usage


def _client(random: Random, number: int) -> tuple[str, Attributes]:
    if number % 2:
        return "SELECT orders", {
            "db.system.name": "postgresql",
            "db.namespace": "shop",
            "db.operation.name": "SELECT",
            "db.collection.name": "orders",
            "db.response.returned_rows": random.randrange(20),
            "server.address": "db.internal",
        }
    return "GET /stock", {
        "http.request.method": "GET",
        "url.full": f"https://stock.internal/v1/items/{random.randrange(100_000)}",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "server.address": "stock.internal",
        "server.port": 443,
    }
