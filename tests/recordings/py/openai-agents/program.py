"""OpenAI's Agents SDK with OpenInference: agents with a tool and a handoff, the Responses API and chat, streams."""

from __future__ import annotations

import asyncio

from openai import AsyncOpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    Model,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    trace,
)

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider)


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: 20C"


async def is_polite(_context: object, _agent: object, _input: object) -> GuardrailFunctionOutput:
    """Let everything pass."""
    return GuardrailFunctionOutput(output_info="polite", tripwire_triggered=False)


def agent(model: str | Model) -> Agent:
    """A concierge who asks the weather tool, and hands over to the refunds desk."""
    refunds = Agent(name="refunds", instructions="Give refunds.", model=model)
    return Agent(
        name="concierge",
        instructions="Answer briefly.",
        model=model,
        tools=[get_weather],
        handoffs=[refunds],
        input_guardrails=[InputGuardrail(is_polite)],
    )


async def chat(
    session: str, user: str, tags: list[str], model: str | Model, words: list[str], *, stream: bool
) -> None:
    """A conversation: each turn carries the history of those before."""
    history: list = []
    for said in words:
        fails = "please fail" in said
        with (
            # A streamed call that fails takes its input with it: no span has it.
            turns.turn(session, said, user=user, tags=tags, fails=fails, said_is_told=not fails) as turn,
            using_attributes(session_id=session, user_id=user, tags=tags, metadata={"plan": "gold"}),
        ):
            asked = [*history, {"role": "user", "content": said}]
            if stream:
                result = Runner.run_streamed(agent(model), asked)
                async for _event in result.stream_events():
                    pass
            else:
                result = await Runner.run(agent(model), asked)
            turn.answer = result.final_output
            history = result.to_input_list()


async def workflow(session: str) -> None:
    """Two runs in one trace: the second is asked in other words than the person's."""
    said = "Compare Berlin and Rome"
    with (
        turns.turn(session, said, user="kim", tags=["workflow"]) as turn,
        using_attributes(session_id=session, user_id="kim", tags=["workflow"]),
        trace("Trip planner", group_id="made-up-group"),
    ):
        first = await Runner.run(Agent(name="drafter", model="gpt-4o-mini"), said)
        second = await Runner.run(Agent(name="editor", model="gpt-4o"), f"Shorten: {first.final_output}")
        turn.answer = second.final_output


async def main() -> None:
    """Four sessions."""
    spoken = ["Hello agents 👋", "What is the weather in Berlin?", "ما هو الطقس؟"]
    await chat("agents-1", "ada", ["responses", "beta"], "gpt-4o-mini", spoken, stream=False)
    spoken = ["Good morning", "And the weather now?", "please fail now", "refunds please"]
    await chat("agents-2", "bob", [], "gpt-4o-mini", spoken, stream=True)
    chat_model = OpenAIChatCompletionsModel("gpt-4o", AsyncOpenAI())
    spoken = ["Hi by chat", "weather by chat"]
    await chat("agents-3", "cleo", ["chat"], chat_model, spoken, stream=False)
    await workflow("agents-4")


asyncio.run(main())
provider.shutdown()
