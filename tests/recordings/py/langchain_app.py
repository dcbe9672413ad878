"""Chains, retrieval and graphs of LangChain and LangGraph: the same program for every instrumentation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, TypedDict

from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.messages import AnyMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from turns import Turns

Labelled = Callable[..., AbstractContextManager[object]]
"""How an instrumentation is told the session, the user and the tags of what happens inside."""


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: 20C"


class Library(BaseRetriever):
    """Finds the same document whatever is asked."""

    def _get_relevant_documents(self, query: str, **_: object) -> list[Document]:
        return [Document("Berlin has parks.", metadata={"asked": query})]


class State(TypedDict):
    """What the graph hands on."""

    messages: Annotated[list[AnyMessage], add_messages]


model = ChatOpenAI(model="gpt-4o-mini", max_retries=0, stream_usage=True)


@dataclass
class App:
    """The program, for one instrumentation."""

    name: str
    """What its sessions begin with."""
    turns: Turns
    labelled: Labelled

    def chains(self, tags: list[str]) -> None:
        """A session told by the instrumentation, with a failed call and a retry."""
        session = f"{self.name}-lc-1"
        prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
        chain = prompt | model | StrOutputParser()
        for said in ("Hello LangChain", "¿Y ahora? 🙂", "please fail"):
            with (
                self.turns.turn(session, said, user="lea", tags=tags, fails="please fail" in said) as turn,
                self.labelled(session_id=session, user_id="lea", tags=tags),
            ):
                turn.answer = chain.invoke({"question": said})
        retrying = (
            prompt | model.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
        ) | StrOutputParser()
        said = "fail once, then answer"
        with (
            self.turns.turn(session, said, user="lea", tags=tags, fails=True) as turn,
            self.labelled(session_id=session, user_id="lea", tags=tags),
        ):
            turn.answer = retrying.invoke({"question": said})

    def streamed(self) -> None:
        """A session told by the metadata of LangChain's config; the answer is streamed."""
        session = f"{self.name}-lc-2"
        chain = ChatPromptTemplate.from_template("{question}") | model | StrOutputParser()
        for said in ("stream me", "stream me more"):
            with self.turns.turn(session, said) as turn:
                pieces = chain.stream({"question": said}, config={"metadata": {"session_id": session}})
                turn.answer = "".join(pieces)

    def retrieval(self) -> None:
        """Documents come first, and the words of the model's last user message are not those of the person."""
        session = f"{self.name}-lc-3"
        prompt = ChatPromptTemplate.from_template("{context}\n{question}")

        def joined(documents: list[Document]) -> str:
            return "\n".join(document.page_content for document in documents)

        context = Library() | joined
        chain = {"context": context, "question": RunnablePassthrough()} | prompt | model | StrOutputParser()
        with (
            self.turns.turn(session, "Where are parks?", user="mia") as turn,
            self.labelled(session_id=session, user_id="mia", tags=[]),
        ):
            turn.answer = chain.invoke("Where are parks?")

    def agent(self, thread: str) -> None:
        """LangGraph's agent with a tool and a memory, which it keeps under the name `thread`."""
        session = f"{self.name}-graph-1"
        graph = create_agent(
            model, tools=[get_weather], system_prompt="Be brief.", checkpointer=InMemorySaver()
        )
        for said in ("Hello graph", "the weather in Berlin?", "ما هو الطقس"):
            with (
                self.turns.turn(session, said, user="ned") as turn,
                self.labelled(session_id=session, user_id="ned", tags=[]),
            ):
                messages = {"messages": [{"role": "user", "content": said}]}
                result = graph.invoke(messages, config={"configurable": {"thread_id": thread}})
                turn.answer = result["messages"][-1].content

    def threads(self) -> None:
        """LangGraph where only the thread is known: two model calls in two nodes."""
        session = f"{self.name}-graph-2"

        def draft(state: State) -> State:
            return {"messages": [model.invoke(state["messages"])]}

        def polish(state: State) -> State:
            return {"messages": [model.invoke([*state["messages"], ("human", "Say it shorter")])]}

        builder = StateGraph(State)
        builder.add_node("draft", draft)
        builder.add_node("polish", polish)
        builder.add_edge(START, "draft")
        builder.add_edge("draft", "polish")
        builder.add_edge("polish", END)
        graph = builder.compile(checkpointer=InMemorySaver())
        for said in ("Write about Berlin", "Now about Rome"):
            with self.turns.turn(session, said) as turn:
                config = {"configurable": {"thread_id": session}}
                for state in graph.stream(
                    {"messages": [("human", said)]}, config=config, stream_mode="values"
                ):
                    turn.answer = state["messages"][-1].content
