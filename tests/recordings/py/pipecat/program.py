"""Pipecat by text, without a transport: each conversation is one trace with all its turns.

The session is what Pipecat's documentation names: the `conversation_id` of a pipeline, or attributes that a program
gives its conversation's span.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EndFrame,
    Frame,
    LLMFullResponseEndFrame,
    LLMMessagesAppendFrame,
    LLMTextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.anthropic.llm import AnthropicLLMService
from pipecat.services.llm_service import FunctionCallParams, LLMService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.workers.runner import WorkerRunner
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
CITY = {"city": {"type": "string"}}
TOOLS = ToolsSchema([FunctionSchema("get_weather", "The weather in a city.", CITY, ["city"])])


class Mouth(FrameProcessor):
    """Stands in for a transport: says when the bot began and stopped to speak, and keeps what it said."""

    def __init__(self) -> None:
        """Nothing said yet."""
        super().__init__()
        self._text = ""
        self.said: asyncio.Queue[str] = asyncio.Queue()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass everything on."""
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        if isinstance(frame, LLMTextFrame):
            if not self._text:
                await self.push_frame(BotStartedSpeakingFrame())
            self._text += frame.text
        elif isinstance(frame, LLMFullResponseEndFrame) and self._text:
            await self.push_frame(BotStoppedSpeakingFrame())
            self.said.put_nowait(self._text)
            self._text = ""


async def get_weather(params: FunctionCallParams) -> None:
    """The tool."""
    await params.result_callback({"weather": f"{params.arguments['city']} 20C"})


async def converse(
    turns: Turns,
    llm: LLMService,
    session: str,
    words: Sequence[str],
    *,
    user: str | None = None,
    fails: bool = False,
    **named: object,
) -> None:
    """A conversation: its first words are what was asked, its last answer is what was answered."""
    llm.register_function("get_weather", get_weather)
    pair = LLMContextAggregatorPair(LLMContext(tools=TOOLS))
    mouth = Mouth()
    worker = PipelineWorker(
        Pipeline([pair.user(), llm, mouth, pair.assistant()]),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        enable_tracing=True,
        **named,
    )

    @worker.event_handler("on_pipeline_error")
    async def _failed(_worker: PipelineWorker, _frame: Frame) -> None:
        mouth.said.put_nowait("")

    async def talk() -> None:
        for said in words:
            await worker.queue_frame(UserStartedSpeakingFrame())
            await asyncio.sleep(0.1)  # people speak for a while
            await worker.queue_frame(UserStoppedSpeakingFrame())
            await worker.queue_frame(
                LLMMessagesAppendFrame([{"role": "user", "content": said}], run_llm=True)
            )
            turn.answer = await mouth.said.get() or turn.answer
        await worker.queue_frame(EndFrame())

    with turns.turn(session, words[0], user=user, fails=fails) as turn:
        runner = WorkerRunner()
        await runner.add_workers(worker)
        await asyncio.gather(runner.run(), talk())


def openai() -> OpenAILLMService:
    """GPT."""
    settings = OpenAILLMService.Settings(model="gpt-4o-mini", system_instruction="Be brief.")
    return OpenAILLMService(settings=settings)


def claude() -> AnthropicLLMService:
    """Claude, whose cache Pipecat tells beside the input."""
    settings = AnthropicLLMService.Settings(model="claude-sonnet-4-5", system_instruction="Be brief.")
    return AnthropicLLMService(api_key="none", settings=settings)


async def main() -> None:
    """Three sessions."""
    turns = Turns(provider, details=["cache_read_tokens", "cache_write_tokens", "reasoning_tokens"])
    words = ["Hello Pipecat", "weather in Berlin", "Grüße 🙂"]
    await converse(turns, openai(), "pc-1", words, conversation_id="pc-1")
    await converse(turns, openai(), "pc-1", ["Back again"], conversation_id="pc-1")
    named = {"session.id": "pc-2", "user.id": "bob"}
    await converse(
        turns,
        openai(),
        "pc-2",
        ["First of few", "please fail"],
        user="bob",
        fails=True,
        additional_span_attributes=named,
    )
    await converse(turns, claude(), "pc-3", ["Hello Claude", "the weather?"], conversation_id="pc-3")


asyncio.run(main())
provider.shutdown()
