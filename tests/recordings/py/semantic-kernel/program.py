"""Semantic Kernel with its own telemetry, sensitive data on: agents, the bare chat service.

Its telemetry knows no session: the program names it on a span of its own around each turn. Prompts and completions of
calls are log records, those of agents stand on their spans.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE"] = "true"

from openai import AsyncOpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from semantic_kernel import Kernel
from semantic_kernel.agents import ChatCompletionAgent, ChatHistoryAgentThread
from semantic_kernel.connectors.ai import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory
from semantic_kernel.functions import KernelArguments, kernel_function
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
turns = Turns(provider, details=[])
tracer = trace.get_tracer("shop")
service = OpenAIChatCompletion("gpt-4o-mini", service_id="chat", async_client=AsyncOpenAI(max_retries=0))


class Weather:
    """A plugin."""

    @kernel_function
    def get_weather(self, city: str) -> str:
        """The weather in a city."""
        return f"{city}: 20C"


async def agents(session: str, user: str, words: Sequence[str], *, stream: bool = False) -> None:
    """A conversation with an agent that has a tool."""
    helper = ChatCompletionAgent(
        service=service, name="concierge", instructions="Be brief.", plugins=[Weather()]
    )
    thread: ChatHistoryAgentThread | None = None
    for said in words:
        with (
            turns.turn(session, said, user=user, fails="fail" in said) as turn,
            tracer.start_as_current_span("chat turn", attributes={"session.id": session, "user.id": user}),
        ):
            if stream:
                async for chunk in helper.invoke_stream(said, thread=thread):
                    turn.answer += str(chunk.message)
                    thread = chunk.thread
            else:
                response = await helper.get_response(said, thread=thread)
                turn.answer, thread = str(response.message), response.thread


async def bare(session: str, user: str, words: Sequence[str]) -> None:
    """A conversation with the chat service itself, which calls tools by itself. No span has a word of it."""
    kernel = Kernel()
    kernel.add_plugin(Weather(), "weather")
    history = ChatHistory(system_message="Be brief.")
    settings = OpenAIChatPromptExecutionSettings(function_choice_behavior=FunctionChoiceBehavior.Auto())
    for said in words:
        with (
            turns.turn(session, said, user=user, said_is_told=False),
            tracer.start_as_current_span("chat turn", attributes={"session.id": session, "user.id": user}),
        ):
            history.add_user_message(said)
            history.add_message(await service.get_chat_message_content(history, settings, kernel=kernel))


async def prompts(session: str, user: str, words: Sequence[str], *, stream: bool = False) -> None:
    """Prompt functions: a template, filled and sent to the chat service. Only their own span has words."""
    kernel = Kernel()
    kernel.add_service(service)
    template = "You sell tea.\nAnswer in one sentence: {{$question}}"
    for said in words:
        with (
            turns.turn(session, said, user=user, fails="fail" in said) as turn,
            tracer.start_as_current_span("chat turn", attributes={"session.id": session, "user.id": user}),
        ):
            if stream:
                async for chunk in kernel.invoke_prompt_stream(
                    template,
                    arguments=KernelArguments(question=said),
                    plugin_name="shop",
                    function_name="answer",
                ):
                    turn.answer += str(chunk[0])
            else:
                result = await kernel.invoke_prompt(
                    template,
                    arguments=KernelArguments(question=said),
                    plugin_name="shop",
                    function_name="answer",
                )
                turn.answer = str(result)


async def main() -> None:
    """Four sessions."""
    await agents("sk-1", "ada", ["Hello Kernel", "weather in Berlin", "Grüße 🙂", "please fail"])
    await agents("sk-2", "bob", ["a streamed one", "weather, streamed"], stream=True)
    await bare("sk-3", "cyd", ["Hello service", "the weather?"])
    await prompts("sk-4", "dee", ["Which tea is green?", "please fail"])
    await prompts("sk-5", "eve", ["Which one is black?"], stream=True)


asyncio.run(main())
provider.shutdown()
