"""The keys of what a span is: its type, model, status, labels, and what it says of its trace, the best first."""

from __future__ import annotations

from collections.abc import Mapping

from spanloom.spans.conventions.fields import Field

KINDS: Mapping[Field, tuple[str, ...]] = {
    Field.SPAN_TYPE: (
        "lmnr.span.path",
        "lmnr.span.type",
        "openinference.span.kind",
        "langfuse.observation.type",
        "langsmith.span.kind",
        "mlflow.spanType",
        "mastra.span.type",
        "spring.ai.kind",
        "genkit:metadata:subtype",
        "genkit:type",
        "gen_ai.operation.name",
        "traceloop.span.kind",
        "ai.operationId",
        "llm.request.type",
        "span.type",
    ),
    Field.SPAN_TYPE_IF_USED: (
        "llm.*.object",
        "llm.*.usage",
    ),
    Field.MODEL: (
        "gen_ai.response.model",
        "ai.response.model",
        "langfuse.observation.model.name",
        "llm.response.model_name",
        "llm.model_name",
        "gen_ai.request.model",
        "llm.request.model_name",
        "ai.model.id",
        "embedding.model_name",
        "reranker.model_name",
        "mlflow.llm.model",
        "langsmith.metadata.ls_model_name",
        "genkit:key",
        "llm.*.model",
        "model",
    ),
    Field.PROVIDER: (
        "langsmith.metadata.ls_provider",
        "gen_ai.provider.name",
        "gen_ai.system",
        "llm.provider",
        "llm.system",
        "ai.model.provider",
        "mlflow.llm.provider",
        "genkit:key",
        "llm.*.usage",
    ),
    Field.STATUS: (
        "langfuse.observation.level",
        "ai.response.finishReason",
    ),
    Field.STATUS_MESSAGE: ("langfuse.observation.status_message",),
    # Of tags and metadata every key counts; where two keys give a metadata name, the value of the better one counts.
    Field.TAGS: (
        "lmnr.association.properties.tags",
        "langfuse.trace.tags",
        "langfuse.tags",
        "langfuse.observation.metadata.langfuse_tags",
        "langsmith.span.tags",
        "mastra.tags",
        "tag.tags",
        "ai.telemetry.metadata.tags",
        "ai.settings.context.tags",
    ),
    Field.METADATA: (
        "lmnr.association.properties.metadata.*",
        "langfuse.trace.metadata",
        "langfuse.trace.metadata.*",
        "metadata",
        "ai.telemetry.metadata.*",
        "traceloop.association.properties.*",
        "ai.settings.context.*",
        "langsmith.metadata.*",
        "mastra.metadata.*",
    ),
    Field.RESPONSE_ID: (
        "gen_ai.response.id",
        "ai.response.id",
        "llm.*.id",
        "gen_ai.completion",
        "mlflow.spanOutputs",
        "output.value",
    ),
    Field.COPY: (
        "logfire.span_type",
        "ag2.usage.kind",
    ),
    Field.FIRST_TOKEN_AFTER: (
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.client.operation.time_to_first_chunk",
        "ai.response.msToFirstChunk",
        "ai.stream.msToFirstChunk",
        "gen_ai.server.time_to_first_token",
        "gen_ai.server.ttft",
        "lk.response.ttft",
        "ttft_ms",
    ),
    Field.FIRST_TOKEN_AT: (
        "langfuse.observation.completion_start_time",
        "mastra.completion_start_time",
    ),
    Field.ENVIRONMENT: (
        "langfuse.environment",
        "deployment.environment",
    ),
    Field.RELEASE: ("langfuse.release",),
    Field.TRACE_NAME: ("langfuse.trace.name",),
}
