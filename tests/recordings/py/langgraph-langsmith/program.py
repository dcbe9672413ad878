"""Graphs of LangGraph, traced by LangSmith and exported by OpenTelemetry alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

os.environ |= {
    "LANGSMITH_TRACING": "true",
    "LANGSMITH_OTEL_ENABLED": "true",
    "LANGSMITH_OTEL_ONLY": "true",
    "LANGSMITH_API_KEY": "stand-in",
    "LANGSMITH_ENDPOINT": os.environ["RECORDING_OTLP"],
}

from langchain_core.tracers.langchain import wait_for_all_tracers
from langgraph_app import App
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turn, Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)


class SettledTurns(Turns):
    """LangSmith makes the spans in a thread of its own: a turn lasts until they are there."""

    @contextmanager
    def turn(self, *said: str, **given: Any) -> Iterator[Turn]:
        """See `Turns`."""
        with super().turn(*said, **given) as turn:
            try:
                yield turn
            finally:
                wait_for_all_tracers()


App("lg-ls", SettledTurns(provider, details=["cache_read_tokens", "reasoning_tokens"])).all()
provider.shutdown()
