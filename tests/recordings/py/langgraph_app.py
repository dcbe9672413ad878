"""Graphs of LangGraph: the same program for every instrumentation.

A router, branches side by side, a subgraph with tools, ready-made agents, a person who is asked in between.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition
from langgraph.types import Command, Send, interrupt
from turns import Turns

model = ChatOpenAI(model="gpt-4o-mini", max_retries=0, stream_usage=True)


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: 20C"


class State(MessagesState):
    """What the graph hands on."""

    notes: Annotated[list[str], operator.add]


class Aspect(TypedDict):
    """What one branch looks into."""

    aspect: str
    question: str


def desk() -> CompiledStateGraph:
    """A subgraph: an assistant that calls tools until it has an answer."""

    def assistant(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [model.bind_tools([get_weather]).invoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("assistant", assistant)
    builder.add_node("tools", ToolNode([get_weather]))
    builder.add_edge(START, "assistant")
    builder.add_conditional_edges("assistant", tools_condition)
    builder.add_edge("tools", "assistant")
    return builder.compile(name="desk")


def router_graph() -> CompiledStateGraph:
    """A router sends questions to the desk, and comparisons to branches whose notes a writer puts together."""

    def router(state: State) -> Command:
        answer = model.invoke([("system", "Which department is this for?"), *state["messages"]]).content
        question = state["messages"][-1].content
        if "compare" not in answer.lower():
            return Command(goto="desk")
        return Command(
            goto=[Send("branch", {"aspect": aspect, "question": question}) for aspect in ("food", "parks")]
        )

    def branch(asked: Aspect) -> dict[str, list[str]]:
        return {"notes": [model.invoke(f"Only about {asked['aspect']}: {asked['question']}").content]}

    def write(state: State) -> dict[str, list[AnyMessage]]:
        notes = "\n".join(state["notes"])
        return {"messages": [model.invoke([("system", "You write."), ("human", f"Combine:\n{notes}")])]}

    builder = StateGraph(State)
    builder.add_node("router", router, destinations=("desk", "branch"))
    builder.add_node("branch", branch)
    builder.add_node("write", write)
    builder.add_node("desk", desk())
    builder.add_edge(START, "router")
    builder.add_edge("branch", "write")
    builder.add_edge("write", END)
    builder.add_edge("desk", END)
    return builder.compile(checkpointer=InMemorySaver(), name="front office")


@tool
def ask_editor() -> Command:
    """Hand over to the editor."""
    return Command(goto="editor", graph=Command.PARENT)


def team_graph(*, handoff: bool) -> CompiledStateGraph:
    """Two ready-made agents: the second follows the first, or the first hands over by a tool."""
    builder = StateGraph(MessagesState)
    tools = [get_weather, ask_editor] if handoff else [get_weather]
    builder.add_node("planner", create_react_agent(model, tools, prompt="You plan.", name="planner"))
    builder.add_node("editor", create_react_agent(model, [get_weather], prompt="You edit.", name="editor"))
    builder.add_edge(START, "planner")
    if not handoff:
        builder.add_edge("planner", "editor")
    return builder.compile(checkpointer=InMemorySaver(), name="desk of two" if handoff else "team")


def approval_graph() -> CompiledStateGraph:
    """A draft, the person's wish, and a second version."""

    def draft(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [model.invoke(state["messages"])]}

    def review(state: MessagesState) -> dict[str, list[Any]]:
        wish = interrupt({"question": "What should be changed?"})
        asked = [*state["messages"], ("human", wish)]
        return {"messages": [("human", wish), model.invoke(asked)]}

    builder = StateGraph(MessagesState)
    builder.add_node("draft", draft)
    builder.add_node("review", review)
    builder.add_edge(START, "draft")
    builder.add_edge("draft", "review")
    return builder.compile(checkpointer=InMemorySaver(), name="approval")


@dataclass
class App:
    """The program, for one instrumentation."""

    name: str
    """What its sessions begin with."""
    turns: Turns
    labelled: Callable[[str], AbstractContextManager[object]] = nullcontext
    """How the instrumentation is told the user, where LangChain's metadata is not enough."""
    graph: CompiledStateGraph = field(default_factory=router_graph)

    def _config(self, thread: str, **metadata: str) -> RunnableConfig:
        return {"configurable": {"thread_id": thread}, "metadata": metadata}

    def _asked(self, said: str) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": said}]}

    def routed(self) -> None:
        """The thread is the session: a subgraph, a tool, branches, a failure."""
        session = f"{self.name}-graph-1"
        for said in ("the weather in Berlin? 👋", "Compare Berlin and Rome", "please fail"):
            with self.turns.turn(session, said, fails="fail" in said) as turn:
                config = self._config(session)
                turn.answer = self.graph.invoke(self._asked(said), config)["messages"][-1].content

    def streamed(self) -> None:
        """Tokens as they come; the metadata names the session and the user, beside another thread."""
        session = f"{self.name}-graph-2"
        for said in ("Stream the weather", "Stream: compare Berlin and Rome"):
            with self.turns.turn(session, said, user="sue") as turn, self.labelled("sue"):
                config = self._config(f"{self.name}-checkpoints-of-2", session_id=session, user_id="sue")
                answering = "write" if "compare" in said else "assistant"
                for _, (chunk, about) in self.graph.stream(
                    self._asked(said), config, stream_mode="messages", subgraphs=True
                ):
                    if about["langgraph_node"] == answering and chunk.type == "AIMessageChunk":
                        turn.answer += chunk.content

    def agent(self) -> None:
        """A ready-made agent, asynchronously."""
        session = f"{self.name}-graph-3"
        weather = create_react_agent(model, [get_weather], prompt="Be brief.", checkpointer=InMemorySaver())

        async def ask() -> None:
            for said in ("Hello agent", "the weather in Rome?"):
                with self.turns.turn(session, said) as turn:
                    result = await weather.ainvoke(self._asked(said), self._config(session))
                    turn.answer = result["messages"][-1].content

        asyncio.run(ask())

    def teams(self) -> None:
        """Two agents in a graph; then one that hands over to the other."""
        session = f"{self.name}-graph-4"
        team = team_graph(handoff=False)
        said = "Plan around the weather"
        with self.turns.turn(session, said) as turn:
            turn.answer = team.invoke(self._asked(said), self._config(session))["messages"][-1].content
        said = "Let the editor speak"
        with self.turns.turn(session, said) as turn:
            config = self._config(session)
            handed = team_graph(handoff=True).invoke(self._asked(said), config)
            turn.answer = handed["messages"][-1].content

    def approved(self) -> None:
        """The graph stops for a person, and goes on with what that person says."""
        session = f"{self.name}-graph-5"
        graph = approval_graph()
        said = "Draft an invitation"
        with self.turns.turn(session, said) as turn:
            config = self._config(session)
            turn.answer = graph.invoke(self._asked(said), config)["messages"][-1].content
        said = "Make it shorter"
        with self.turns.turn(session, said) as turn:
            config = self._config(session)
            turn.answer = graph.invoke(Command(resume=said), config)["messages"][-1].content

    def all(self) -> None:
        """Every conversation."""
        self.routed()
        self.streamed()
        self.agent()
        self.teams()
        self.approved()
