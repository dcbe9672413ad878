"""Claude's Agent SDK under OpenInference, with Claude Code's own spans below: each call is told by both.

The first session is the ID that Claude Code is given; the second is named by `using_attributes`, with a user, while
Claude Code's spans below keep an ID of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import claude_agent_sdk
from claude_agent_sdk import ClaudeAgentOptions, ResultMessage
from openinference.instrumentation import using_attributes
from openinference.instrumentation.claude_agent_sdk import ClaudeAgentSDKInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
ClaudeAgentSDKInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider, details=["cache_read_tokens", "cache_write_tokens"])

USER = "c1a0de" * 10 + "0000"
Path.home().joinpath(".claude.json").write_text(json.dumps({"userID": USER}))
PROJECT = Path.home() / "project"
PROJECT.mkdir()
PROJECT.joinpath("Berlin").write_text("20C")
TELEMETRY = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_ENDPOINT": os.environ["RECORDING_OTLP"],
    "OTEL_LOG_USER_PROMPTS": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",
}


async def ask(said: str, known: dict[str, str]) -> str:
    """One query; its result is the last message."""
    options = ClaudeAgentOptions(
        model="claude-sonnet-4-5-20250929",
        system_prompt="Be brief.",
        tools=["Read"],
        allowed_tools=["Read"],
        setting_sources=[],
        cwd=PROJECT,
        env=TELEMETRY,
        **known,
    )
    results = [message async for message in claude_agent_sdk.query(prompt=said, options=options)]
    return next(message.result for message in results if isinstance(message, ResultMessage))


async def chat(
    session: str, user: str, words: Sequence[str], own_id: str, labels: AbstractContextManager[object]
) -> None:
    """A conversation of several queries, resumed by Claude Code's own ID."""
    with labels:
        for said in words:
            known = {"session_id": own_id} if said == words[0] else {"resume": own_id}
            with turns.turn(session, said, user=user) as turn:
                turn.answer = await ask(said, known)


async def main() -> None:
    """Two sessions."""
    first, second = (f"5e551013-0000-4000-8000-00000000000{n}" for n in (1, 2))
    await chat(first, USER, ["Hello agent", "read the file of Berlin"], first, nullcontext())
    labels = using_attributes(session_id="agent-2", user_id="bob")
    await chat("agent-2", "bob", ["Hello again", "Grüße 🙂"], second, labels)


asyncio.run(main())
provider.shutdown()
