"""One bot for the recordings of Pipecat: a pipeline by text, without a transport, with a tool."""

from __future__ import annotations

import asyncio

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

CITY = {"city": {"type": "string"}}
TOOLS = ToolsSchema([FunctionSchema("get_weather", "The weather in a city.", CITY, ["city"])])


def openai() -> OpenAILLMService:
    """GPT."""
    settings = OpenAILLMService.Settings(model="gpt-4o-mini", system_instruction="Be brief.")
    return OpenAILLMService(settings=settings)


def claude() -> AnthropicLLMService:
    """Claude, whose cache Pipecat tells beside the input."""
    settings = AnthropicLLMService.Settings(model="claude-sonnet-4-5", system_instruction="Be brief.")
    return AnthropicLLMService(api_key="none", settings=settings)


async def get_weather(params: FunctionCallParams) -> None:
    """The tool."""
    await params.result_callback({"weather": f"{params.arguments['city']} 20C"})


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


class Bot:
    """A conversation; `named` goes to the pipeline's worker."""

    def __init__(self, llm: LLMService, **named: object) -> None:
        """Nothing runs yet."""
        llm.register_function("get_weather", get_weather)
        pair = LLMContextAggregatorPair(LLMContext(tools=TOOLS))
        self._mouth = Mouth()
        self._worker = PipelineWorker(
            Pipeline([pair.user(), llm, self._mouth, pair.assistant()]),
            params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
            **named,
        )
        self._runs: asyncio.Task[None] | None = None

        @self._worker.event_handler("on_pipeline_error")
        async def _failed(_worker: PipelineWorker, _frame: Frame) -> None:
            self._mouth.said.put_nowait("")

    async def start(self) -> None:
        """Run: the first turn begins."""
        runner = WorkerRunner()
        await runner.add_workers(self._worker)
        self._runs = asyncio.create_task(runner.run())

    async def hear(self, said: str) -> str:
        """Return what the bot answers, or nothing if its call fails."""
        await self._worker.queue_frame(UserStartedSpeakingFrame())
        await asyncio.sleep(0.1)  # people speak for a while
        await self._worker.queue_frame(UserStoppedSpeakingFrame())
        message = {"role": "user", "content": said}
        await self._worker.queue_frame(LLMMessagesAppendFrame([message], run_llm=True))
        return await self._mouth.said.get()

    async def end(self) -> None:
        """End the conversation, and its last turn."""
        await self._worker.queue_frame(EndFrame())
        if self._runs:
            await self._runs
