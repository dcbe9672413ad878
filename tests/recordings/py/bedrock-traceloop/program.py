"""Bedrock with OpenLLMetry: sessions by association properties."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

os.environ["TRACELOOP_TELEMETRY"] = "false"

from bedrock_app import CLAUDE, NOVA, App
from opentelemetry import trace
from traceloop.sdk import Traceloop
from turns import Turns

Traceloop.init(app_name="bedrock-traceloop", api_endpoint=os.environ["RECORDING_OTLP"], api_key="stand-in")

turns = Turns(trace.get_tracer_provider(), details=["cache_read_tokens", "cache_write_tokens"])


@contextmanager
def labelled(session_id: str, user_id: str, tags: Sequence[str]) -> Iterator[None]:  # noqa: ARG001
    """OpenLLMetry's way, above the program's own root; it has no tags."""
    Traceloop.set_association_properties({"session_id": session_id, "user_id": user_id})
    with trace.get_tracer("shop").start_as_current_span("POST /chat"):
        yield


app = App(turns, labelled)
app.chat("bedrock-tl-1", "ada", ["Hello Bedrock", "weather in Berlin", "Grüße 🙂"], model=CLAUDE)
app.chat("bedrock-tl-2", "bob", ["a streamed one", "weather, streamed"], model=NOVA, stream=True)
# OpenLLMetry writes no words of a call that fails.
app.chat("bedrock-tl-2", "bob", ["please fail"], model=NOVA, texts_are_told=False)
app.chat("bedrock-tl-2", "bob", ["fail once and try again"], model=NOVA)
trace.get_tracer_provider().shutdown()
