"""Agno under OpenInference: sessions and users are arguments of each run; a conversation is kept by Agno's database."""

from __future__ import annotations

from collections.abc import Sequence

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.anthropic import Claude
from agno.models.base import Model
from agno.models.openai import OpenAIChat
from openinference.instrumentation.agno import AgnoInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
AgnoInstrumentor().instrument(tracer_provider=provider)


def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"{city} 20C"


def agent(model: Model) -> Agent:
    """An agent with a tool and a memory of what was said."""
    return Agent(
        name="helper",
        model=model,
        tools=[get_weather],
        instructions="Be brief.",
        db=InMemoryDb(),
        add_history_to_context=True,
        telemetry=False,
    )


def chat(
    turns: Turns, helper: Agent, session: str, user: str, words: Sequence[str], *, stream: bool = False
) -> None:
    """A conversation, each turn a run."""
    for said in words:
        with turns.turn(session, said, user=user, fails="fail" in said) as turn:
            ran = helper.run(said, session_id=session, user_id=user, stream=stream)
            turn.answer = "".join(event.content or "" for event in ran) if stream else ran.content


gpt = Turns(provider, details=["cache_read_tokens"])
claude = Turns(provider, details=["cache_read_tokens", "cache_write_tokens"])
one = agent(OpenAIChat(id="gpt-4o-mini", max_retries=0))
chat(gpt, one, "agno-1", "ada", ["Hello Agno", "weather in Berlin", "Grüße 🙂"])
chat(gpt, one, "agno-2", "bob", ["a streamed one", "weather, streamed"], stream=True)
other = agent(Claude(id="claude-sonnet-4-5-20250929"))
chat(claude, other, "agno-3", "cyd", ["Hello Claude", "weather in Rome"])
provider.shutdown()
