"""Microsoft's Agent Framework with its own telemetry, newest conventions, sensitive data.

A session that the framework keeps itself is on no span: the program names it on a span of its own, as the framework's
documentation does with scenarios. A session that the service keeps is `gen_ai.conversation.id`; where the service tells
only responses, that is the ID of the last one, another each turn.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"

from agent_framework import Agent, AgentSession, Message, WorkflowBuilder, tool
from agent_framework.observability import enable_instrumentation
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from openai import AsyncOpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
enable_instrumentation(enable_sensitive_data=True)
turns = Turns(provider, details=["cache_read_tokens", "reasoning_tokens"])
tracer = trace.get_tracer("shop")
openai = AsyncOpenAI(max_retries=0)
chat_api = OpenAIChatCompletionClient("gpt-4o-mini", async_client=openai)
responses_api = OpenAIChatClient("gpt-4o", async_client=openai)


@tool(approval_mode="never_require")
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: 20C"


def agent(client: OpenAIChatClient | OpenAIChatCompletionClient, name: str = "concierge") -> Agent:
    """An agent with a tool."""
    return Agent(client, "Be brief.", name=name, tools=[get_weather])


async def ask(helper: Agent, session: AgentSession, said: str, *, stream: bool) -> str:
    """One run."""
    if stream:
        return "".join([update.text async for update in helper.run(said, session=session, stream=True)])
    return (await helper.run(said, session=session)).text


async def chat(
    helper: Agent, kept: AgentSession, session: str, user: str, words: Sequence[str], *, stream: bool = False
) -> None:
    """A conversation below spans that name the session."""
    for said in words:
        with (
            turns.turn(session, said, user=user, fails="fail" in said) as turn,
            tracer.start_as_current_span(
                "Scenario: chat", attributes={"session.id": session, "user.id": user}
            ),
        ):
            turn.answer = await ask(helper, kept, said, stream=stream)


async def conversation(session: str, words: Sequence[str]) -> None:
    """A conversation that the service keeps, named by nothing else."""
    helper = agent(responses_api)
    for said in words:
        with turns.turn(session, said) as turn:
            turn.answer = await ask(helper, helper.get_session(session), said, stream=False)


async def workflow(session: str, said: str) -> None:
    """A writer and a reviewer, who is given what the writer wrote."""
    writer, reviewer = agent(chat_api, "writer"), agent(chat_api, "reviewer")
    with (
        turns.turn(session, said, user="eve") as turn,
        tracer.start_as_current_span("Scenario: flow", attributes={"session.id": session, "user.id": "eve"}),
    ):
        # To build one is a span too.
        flow = (
            WorkflowBuilder(start_executor=writer, output_from=[reviewer]).add_edge(writer, reviewer).build()
        )
        ran = await flow.run(Message("user", [said]))
        turn.answer = ran.get_outputs()[-1].text


async def main() -> None:
    """Five sessions."""
    helper = agent(chat_api)
    words = ["Hello Agent Framework", "weather in Berlin", "Grüße 🙂", "please fail"]
    await chat(helper, helper.create_session(session_id="af-1"), "af-1", "ada", words)
    helper = agent(chat_api)
    words = ["a streamed one", "weather, streamed"]
    await chat(helper, helper.create_session(), "af-2", "bob", words, stream=True)
    helper = agent(responses_api)
    await chat(helper, helper.create_session(), "af-3", "cyd", ["Hello responses", "weather in Rome"])
    await conversation("conv_af-4", ["Kept by the service", "the weather there?"])
    await workflow("af-5", "Write about parks")


asyncio.run(main())
provider.shutdown()
