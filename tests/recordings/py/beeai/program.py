"""BeeAI under OpenInference: an agent with a tool and a memory, calls, a stream; sessions by `using_attributes`."""

from __future__ import annotations

import asyncio
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"  # no network

from collections.abc import Awaitable, Callable, Sequence

from beeai_framework.agents.requirement import RequirementAgent
from beeai_framework.backend import ChatModel, UserMessage
from beeai_framework.memory import UnconstrainedMemory
from beeai_framework.tools import StringToolOutput, tool
from openinference.instrumentation import using_attributes
from openinference.instrumentation.beeai import BeeAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
BeeAIInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider, details=["cache_read_tokens"])


@tool
def get_weather(city: str) -> StringToolOutput:
    """Return the weather of a city.

    Args:
        city: the city
    """
    return StringToolOutput(f"{city} 20C")


model = ChatModel.from_name("openai:gpt-4o-mini")
agent = RequirementAgent(
    llm=model, tools=[get_weather], memory=UnconstrainedMemory(), final_answer_as_tool=False, name="helper"
)


async def asked_agent(said: str) -> str:
    """Ask the agent, which remembers."""
    return (await agent.run(said)).last_message.text


async def asked_model(said: str) -> str:
    """Ask the model alone, by a stream where that is asked for."""
    return (await model.run([UserMessage(said)], stream="stream" in said)).get_text_content()


async def chat(
    session: str,
    user: str,
    words: Sequence[str],
    ask: Callable[[str], Awaitable[str]],
    tags: Sequence[str] = (),
) -> None:
    """A conversation, each turn a trace."""
    for said in words:
        with (
            turns.turn(session, said, user=user, tags=tags, fails="fail" in said) as turn,
            using_attributes(session_id=session, user_id=user, tags=list(tags)),
        ):
            turn.answer = await ask(said)


async def main() -> None:
    """Two sessions."""
    await chat(
        "beeai-1", "ada", ["Hello BeeAI", "weather in Rome", "Grüße 🙂"], asked_agent, tags=["beta", "web"]
    )
    await chat("beeai-2", "bob", ["a bare call", "a stream", "please fail"], asked_model)


asyncio.run(main())
provider.shutdown()
