"""LiteLLM's OpenTelemetry callback, the older one and the one that `LITELLM_OTEL_V2` turns on.

It writes OpenTelemetry's names, with words of its own for the kind of a call, and says what the call cost. The older
one knows no session: it stands on the spans around it. The newer one gives the caller's `session_id` as
`gen_ai.conversation.id`. The child `raw_gen_ai_request` repeats the call under names of the provider
(`llm.openai.usage`), which nobody reads, so that it bears no usage.
"""

from __future__ import annotations

from spans.conventions.fields import Convention, Field, Key
from spans.conventions.readers import choice

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

CONVENTION = Convention(
    name="LiteLLM",
    source="litellm 1.110 (PyPI): litellm/integrations/opentelemetry.py, litellm/integrations/otel/model/semconv.py",
    keys=(
        Key("llm.request.type", Field.SPAN_TYPE, 9, read=choice(CALL_TYPES)),
        Key("gen_ai.cost.input_cost", Field.INPUT_COST, 4),
        Key("gen_ai.cost.output_cost", Field.OUTPUT_COST, 4),
        Key("gen_ai.cost.total_cost", Field.TOTAL_COST, 5),
        Key("litellm.cost.input", Field.INPUT_COST, 5),
        Key("litellm.cost.output", Field.OUTPUT_COST, 5),
        Key("litellm.cost.total", Field.TOTAL_COST, 6),
    ),
)
