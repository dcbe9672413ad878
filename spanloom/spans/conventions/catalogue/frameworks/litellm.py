"""LiteLLM's OpenTelemetry callback, the older one and the one that `LITELLM_OTEL_V2` turns on.

It writes OpenTelemetry's names, with words of its own for the kind of a call, and says what the call cost. The older
one knows no session: it stands on the spans around it. The newer one gives the caller's `session_id` as
`gen_ai.conversation.id`.

Below a span of the user's the older one writes each call onto that span, the next over the one before, or nowhere if
that span has ended. What it always exports is a child `raw_gen_ai_request` with the provider's request and response,
each member as `str(value)` under `llm.<provider>.<member>`. A child that tells its usage is a call, and what stands
above it only repeats it. A child without usage (of a streamed or failed call) is none, so that its parent counts.
"""

from __future__ import annotations

from collections.abc import Callable

from spanloom.spans.conventions.fields import Convention, Field, Key, Reader, Template
from spanloom.spans.conventions.readers import choice, json_object
from spanloom.spans.conventions.usage_objects import COUNTS, Usage, part_readers, usage_in
from spanloom.spans.text.python_repr import as_json, short_as_json

CALL_TYPES = {
    f"{prefix}{name}": kind
    for prefix in ("", "a")
    for name, kind in {
        "completion": "LLM",
        "text_completion": "LLM",
        "responses": "LLM",
        "anthropic_messages": "LLM",
        "generate_content": "LLM",
        "generate_content_stream": "LLM",
        "embedding": "EMBEDDING",
        "rerank": "RERANKER",
    }.items()
}
"""`litellm.types.utils.CallTypes`; an `a` in front says that the call was asynchronous."""

OBJECTS = {
    "chat.completion": "LLM",
    "text_completion": "LLM",
    "response": "LLM",
    "list": "EMBEDDING",
}
"""What OpenAI's API calls its responses; a list is one of embeddings."""

NO_PROVIDERS = frozenset({"None", "Unknown"})
"""What stands in the place of a provider that LiteLLM does not know there."""


def provider(word: str) -> str | None:
    """The provider of a raw request."""
    return None if word in NO_PROVIDERS else word


def usage_type(text: str) -> str | None:
    """What the usage of a response that does not say what it is was for: embeddings have no output."""
    usage = json_object(text)
    if "completion_tokens" in usage or "output_tokens" in usage:
        return "LLM"
    return "EMBEDDING" if "prompt_tokens" in usage or "input_tokens" in usage else None


def _raw(member: str, field: Field, read: Reader | None = None) -> Template:
    return Template("llm.", f".{member}", field, read)


def _usage(field: Field, read: Reader) -> Template:
    """A field in the usage of a raw response."""
    return _raw("usage", field, lambda text: read(short_as_json(text)))


def _count(field: Field, find: Callable[[Usage], int | None]) -> Template:
    return _raw("usage", field, lambda text: find(usage_in(text)))


CONVENTION = Convention(
    name="LiteLLM",
    source="litellm 1.110 (PyPI): litellm/integrations/opentelemetry.py, litellm/integrations/otel/model/semconv.py",
    keys=(
        Key("llm.request.type", Field.SPAN_TYPE, read=choice(CALL_TYPES)),
        Key("gen_ai.cost.input_cost", Field.INPUT_COST),
        Key("gen_ai.cost.output_cost", Field.OUTPUT_COST),
        Key("gen_ai.cost.total_cost", Field.TOTAL_COST),
        Key("litellm.cost.input", Field.INPUT_COST),
        Key("litellm.cost.output", Field.OUTPUT_COST),
        Key("litellm.cost.total", Field.TOTAL_COST),
    ),
    templates=(
        _raw("object", Field.SPAN_TYPE_IF_USED, choice(OBJECTS)),
        _usage(Field.SPAN_TYPE_IF_USED, usage_type),
        _raw("model", Field.MODEL),
        Template("llm.", ".usage", Field.PROVIDER, provider, word=True),
        *(_count(field, find) for field, find in COUNTS.items()),
        *(_raw("usage", field, read) for field, read in part_readers()),
        _raw("id", Field.RESPONSE_ID),
        _raw("messages", Field.INPUT, as_json),
        _raw("input", Field.INPUT, as_json),
        _raw("choices", Field.OUTPUT, as_json),
        # OpenAI's Responses, Anthropic's Messages.
        _raw("output", Field.OUTPUT, as_json),
        _raw("content", Field.OUTPUT, as_json),
    ),
)
