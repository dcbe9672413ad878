"""One turn of a conversation as ten spans: an agent that plans, searches, uses two tools and answers.

    invoke_agent (AGENT)
    ├── plan (CHAIN)
    │   └── chat (LLM)
    ├── search (RETRIEVER)
    │   └── POST /search
    ├── tool (TOOL)
    │   └── SELECT orders
    ├── chat (LLM)
    ├── tool (TOOL)
    └── chat (LLM)

Attributes are those of OpenTelemetry's GenAI conventions, OpenInference or OpenLLMetry, by the conversation's
application; a fifth of the roots repeat the usage of the calls inside them, as agent frameworks do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from random import Random

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from benchmarks.load import attributes
from benchmarks.load.attributes import Attributes, Call
from benchmarks.load.texts import Texts

SPANS_PER_TRACE = 10

MODELS = (
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-4o"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-3-5-haiku-latest"),
)
"""Provider and model; `genai-prices` knows them all."""

STYLES = ("gen_ai", "openinference", "traceloop")
TOOL_ERRORS = 0.02
SESSION_ON_ROOT = 0.5
"""How often the session ID stands on the root, which comes last; else it stands on one LLM call."""

_MILLISECOND = 1_000_000  # nanoseconds
_TOOLS = ("get_weather", "find_order", "refund", "calendar")


@dataclass(frozen=True, slots=True)
class LoadSpan:
    """A span, before it is encoded; times in nanoseconds since the epoch, `error` is a message or empty."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: str
    service: str
    scope: str
    start_time: int
    end_time: int
    error: str
    attributes: Attributes


@dataclass(slots=True)
class TurnUsage:
    """The truth of one trace; `cost` in picodollars."""

    llm_calls: int = 0
    tool_calls: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0

    def count(self, call: Call) -> None:
        """Count a call of a model."""
        self.llm_calls += 1
        self.input_tokens += call.input_tokens
        self.output_tokens += call.output_tokens
        self.cost += price(call)


class Conversation:
    """A session that goes on for some turns; `session_id` may be empty."""

    def __init__(self, random: Random, session_id: str, turns: int, user: int) -> None:
        self.session_id = session_id
        self.turns = turns
        self.user_id = f"user-{user:03d}"
        self.style = random.choice(STYLES)
        self.provider, self.model = random.choice(MODELS)


@dataclass(slots=True)
class Trace:
    """A trace as it grows; `now` in nanoseconds since the epoch."""

    trace_id: bytes
    random: Random
    now: int
    usage: TurnUsage = field(default_factory=TurnUsage)
    spans: list[LoadSpan] = field(default_factory=list)

    def new_id(self) -> bytes:
        """An ID for a span."""
        return self.random.randbytes(7) + b"\x01"

    def later(self, shortest: int, longest: int) -> int:
        """Let a time pass, milliseconds, and return the new time in nanoseconds."""
        self.now += self.random.randint(shortest * 1000, longest * 1000) * 1000
        return self.now

    def add(
        self,
        name: str,
        attributes: Attributes,
        *,
        start: int,
        parent: bytes,
        span_id: bytes | None = None,
        service: str = "assistant",
        error: str = "",
    ) -> None:
        """Add a span that ends now."""
        scope = "opentelemetry.instrumentation.requests" if service != "assistant" else "assistant.agent"
        own = self.new_id() if span_id is None else span_id
        self.spans.append(
            LoadSpan(self.trace_id, own, parent, name, service, scope, start, self.now, error, attributes)
        )


def new_trace(random: Random, start: int) -> Trace:
    """A trace that starts at `start`, nanoseconds since the epoch."""
    return Trace(random.randbytes(15) + b"\x01", random, start)


def turn(
    conversation: Conversation, random: Random, texts: Texts, start: int
) -> tuple[list[LoadSpan], TurnUsage]:
    """Make one trace that starts at `start` (nanoseconds), and what is true of it."""
    trace = new_trace(random, start)
    root, plan, search, tool = (trace.new_id() for _ in range(4))
    question = texts.text()
    on_root = random.random() < SESSION_ON_ROOT

    begun = trace.later(1, 3)
    _call(trace, conversation, texts, question, plan, with_session=not on_root)
    trace.add("plan", attributes.chain(random, texts), start=begun, parent=root, span_id=plan)

    begun = trace.later(1, 3)
    _request(trace, "POST /search", search, attributes.http(random, "POST", "search.internal"))
    trace.add(
        "search", attributes.retriever(random, texts, question), start=begun, parent=root, span_id=search
    )

    begun = trace.later(1, 3)
    _request(trace, "SELECT orders", tool, attributes.database(random))
    _tool(trace, texts, begun, root, span_id=tool)
    _call(trace, conversation, texts, question, root, with_session=False)
    begun = trace.later(1, 3)
    trace.later(5, 60)
    _tool(trace, texts, begun, root)
    answer = _call(trace, conversation, texts, question, root, with_session=False)

    trace.later(1, 5)
    session_id = conversation.session_id if on_root else ""
    on_root_span = attributes.agent(random, question, answer, session_id, conversation.user_id)
    if random.random() < 0.2:
        on_root_span["gen_ai.usage.input_tokens"] = trace.usage.input_tokens
        on_root_span["gen_ai.usage.output_tokens"] = trace.usage.output_tokens
    trace.add("invoke_agent assistant", on_root_span, start=start, parent=b"", span_id=root)
    assert len(trace.spans) == SPANS_PER_TRACE
    return trace.spans, trace.usage


def _call(
    trace: Trace,
    conversation: Conversation,
    texts: Texts,
    question: str,
    parent: bytes,
    *,
    with_session: bool,
) -> str:
    """Add a call of the conversation's model; returns what it answered."""
    random = trace.random
    begun = trace.later(1, 3)
    trace.later(80, 900)
    input_tokens = random.randint(200, 8000)
    call = Call(
        provider=conversation.provider,
        model=conversation.model,
        input_tokens=input_tokens,
        output_tokens=random.randint(20, 1500),
        cache_read_tokens=input_tokens // 2 if random.random() < 0.3 else 0,
        question=question,
        answer=texts.text(),
        session_id=conversation.session_id if with_session else "",
    )
    trace.usage.count(call)
    trace.add(
        f"chat {call.model}", attributes.llm(random, conversation.style, call), start=begun, parent=parent
    )
    return call.answer


def _tool(trace: Trace, texts: Texts, begun: int, parent: bytes, span_id: bytes | None = None) -> None:
    random = trace.random
    name = random.choice(_TOOLS)
    error = "the order does not exist" if random.random() < TOOL_ERRORS else ""
    trace.usage.tool_calls += 1
    trace.usage.errors += bool(error)
    trace.later(1, 2)
    trace.add(
        f"execute_tool {name}",
        attributes.tool(random, name, texts),
        start=begun,
        parent=parent,
        span_id=span_id,
        error=error,
    )


def _request(trace: Trace, name: str, parent: bytes, some: Attributes) -> None:
    begun = trace.now
    trace.later(2, 40)
    trace.add(name, some, start=begun, parent=parent, service="backend")
    trace.later(1, 2)


def price(call: Call) -> int:
    """What a call costs, picodollars, computed without spanloom."""
    fresh, cached, output = _rates(call.provider, call.model)
    prompt = call.input_tokens - call.cache_read_tokens
    return prompt * fresh + call.cache_read_tokens * cached + call.output_tokens * output


@cache
def _rates(provider: str, model: str) -> tuple[int, int, int]:
    """Picodollars a token: of the prompt, of the cached part of it, of the answer."""

    def rate(usage: PricedUsage) -> int:
        return round(calc_price(usage, model, provider_id=provider).total_price * 10**9)

    return (
        rate(PricedUsage(input_tokens=1000)),
        rate(PricedUsage(input_tokens=1000, cache_read_tokens=1000)),
        rate(PricedUsage(output_tokens=1000)),
    )
