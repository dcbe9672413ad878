"""AutoGen under OpenInference's instrumentation, its own spans beside it; sessions by `using_attributes`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from autogen_app import App
from openinference.instrumentation import using_attributes
from openinference.instrumentation.autogen_agentchat import AutogenAgentChatInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
AutogenAgentChatInstrumentor().instrument(tracer_provider=provider)


@contextmanager
def labelled(session: str, user: str) -> Iterator[None]:
    """OpenInference's way, below the program's own root, which has none of it."""
    with (
        trace.get_tracer("shop").start_as_current_span("POST /chat"),
        using_attributes(session_id=session, user_id=user),
    ):
        yield


async def main() -> None:
    """Four sessions."""
    app = App(Turns(provider, details=[]), labelled)
    await app.chat("ag-oi-1", "ada", ["Hello AutoGen", "weather in Berlin", "Grüße 🙂", "please fail"])
    await app.chat("ag-oi-2", "bob", ["a streamed one", "weather, streamed"], stream=True)
    await app.team("ag-oi-3", "cyd", ["Write about parks", "and about lakes"])
    await app.team("ag-oi-4", "dan", ["Write about roads"], stream=True)


asyncio.run(main())
provider.shutdown()
