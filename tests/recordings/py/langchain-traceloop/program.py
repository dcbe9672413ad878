"""LangChain and LangGraph with OpenLLMetry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["TRACELOOP_TELEMETRY"] = "false"

from langchain_app import App, model
from opentelemetry import trace
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import workflow
from turns import Turns

Traceloop.init(app_name="langchain-traceloop", api_endpoint=os.environ["RECORDING_OTLP"], api_key="stand-in")
turns = Turns(trace.get_tracer_provider())


@contextmanager
def labelled(session_id: str, user_id: str, tags: list[str]) -> Iterator[None]:
    """OpenLLMetry's way; it has no tags, and what it was told last holds on."""
    if tags:
        raise ValueError("no tags")
    Traceloop.set_association_properties({"session_id": session_id, "user_id": user_id, "plan": "gold"})
    yield


@workflow(name="answer")
def in_a_workflow(said: str) -> str:
    """A call below a span of the SDK."""
    return model.invoke(said).content


app = App("tl", turns, labelled)
app.threads()
app.streamed()
app.chains(tags=[])
app.retrieval()
app.agent(thread="thread-of-tl-graph-1")
for said in ("in a workflow", "in a workflow again"):
    with turns.turn("tl-flow-1", said, user="oli") as turn, labelled("tl-flow-1", "oli", []):
        turn.answer = in_a_workflow(said)
trace.get_tracer_provider().shutdown()
