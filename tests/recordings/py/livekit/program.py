"""LiveKit's agents by text, without a room: each session of an agent is one trace with all its turns.

The session is what LiveKit's documentation names: metadata given to `set_tracer_provider`, with Langfuse's keys. Each
job of LiveKit is a process of its own; here each has a provider of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from livekit.agents import Agent, AgentSession, APIConnectOptions, function_tool
from livekit.agents.telemetry import set_tracer_provider
from livekit.agents.voice.agent_session import RecordingOptions, SessionConnectOptions
from livekit.plugins import openai
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

DETAILS = ["cache_read_tokens", "reasoning_tokens"]
ONCE = SessionConnectOptions(llm_conn_options=APIConnectOptions(max_retry=0))


class Helper(Agent):
    """An agent with a tool."""

    def __init__(self) -> None:
        """Be brief."""
        super().__init__(instructions="Be brief.")

    @function_tool
    async def get_weather(self, city: str) -> str:
        """Return the weather of a city."""
        return f"{city} 20C"


async def job(
    session_id: str,
    user_id: str,
    words: Sequence[str],
    *,
    fails: bool = False,
    record: RecordingOptions | None = None,
) -> None:
    """A session of an agent: its first words are what was asked, its last answer is what was answered."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    set_tracer_provider(provider, metadata={"langfuse.session.id": session_id, "langfuse.user.id": user_id})
    turns = Turns(provider, details=DETAILS)
    with turns.turn(session_id, words[0], user=user_id, fails=fails) as turn:
        async with (
            openai.LLM(model="gpt-4o-mini") as llm,
            AgentSession(llm=llm, conn_options=ONCE) as session,
        ):
            await session.start(Helper(), **({"record": record} if record else {}))
            for said in words:
                result = await session.run(user_input=said)
                answers = [event.item for event in result.events if event.type == "message"]
                turn.answer = answers[-1].text_content if answers else ""
    provider.shutdown()


asyncio.run(job("room-1", "ada", ["Hello LiveKit", "weather in Berlin", "Grüße 🙂"]))
asyncio.run(job("room-1", "ada", ["Back again"]))
asyncio.run(job("room-2", "bob", ["First of few", "weather, please"], record={"input_delta": True}))
asyncio.run(job("room-2", "bob", ["please fail"], fails=True))
