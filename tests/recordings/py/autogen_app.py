"""One application for the recordings of AutoGen: an agent with a tool, a stream, a team of two, a failed call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient
from turns import Turns


async def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: 20C"


class App:
    """Converses; `labelled(session, user)` names the session by the instrumentation's own way."""

    def __init__(self, turns: Turns, labelled: Callable[[str, str], AbstractContextManager[object]]) -> None:
        """Make a client that does not retry."""
        self._turns = turns
        self._labelled = labelled
        self._client = OpenAIChatCompletionClient(
            model="gpt-4o-mini", max_retries=0, stream_options={"include_usage": True}
        )

    def _agent(self, name: str, *, stream: bool = False, tools: bool = True) -> AssistantAgent:
        return AssistantAgent(
            name,
            self._client,
            tools=[get_weather] if tools else None,
            system_message="Be brief.",
            model_client_stream=stream,
            reflect_on_tool_use=True,
        )

    async def chat(self, session: str, user: str, words: Sequence[str], *, stream: bool = False) -> None:
        """A conversation with one agent, which remembers, each turn a trace."""
        agent: AssistantAgent | None = None
        for said in words:
            with (
                self._turns.turn(session, said, user=user, fails="fail" in said) as turn,
                self._labelled(session, user),
            ):
                # To make one is a span too.
                agent = agent or self._agent("concierge", stream=stream)
                if stream:
                    turn.answer = await _last(agent.run_stream(task=said))
                else:
                    turn.answer = (await agent.run(task=said)).messages[-1].to_text()

    async def team(self, session: str, user: str, words: Sequence[str], *, stream: bool = False) -> None:
        """A writer and a reviewer, who is given what the writer wrote; the reviewer's is the answer."""
        team: RoundRobinGroupChat | None = None
        for said in words:
            with (
                self._turns.turn(session, said, user=user, fails="fail" in said) as turn,
                self._labelled(session, user),
            ):
                team = team or self._pair()
                if stream:
                    turn.answer = await _last(team.run_stream(task=said))
                else:
                    turn.answer = (await team.run(task=said)).messages[-1].to_text()

    def _pair(self) -> RoundRobinGroupChat:
        agents = [self._agent(name, tools=False) for name in ("writer", "reviewer")]
        return RoundRobinGroupChat(agents, termination_condition=MaxMessageTermination(3))


async def _last(stream: AsyncGenerator[object]) -> str:
    """The last message of a streamed run."""
    results = [event async for event in stream if isinstance(event, TaskResult)]
    return results[-1].messages[-1].to_text()
