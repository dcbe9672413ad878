"""MLflow's own spans, as it exports them by OTLP. Every value is JSON, a text stands in quotes."""

from __future__ import annotations

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import choice, cost_at, unquoted
from spanloom.spans.conventions.usage_objects import response_id_in, usage_keys

SPAN_TYPES = {
    "LLM": "LLM",
    "CHAT_MODEL": "LLM",
    "CHAIN": "CHAIN",
    "WORKFLOW": "CHAIN",
    "TASK": "CHAIN",
    "PARSER": "CHAIN",
    "MEMORY": "CHAIN",
    "AGENT": "AGENT",
    "TOOL": "TOOL",
    "RETRIEVER": "RETRIEVER",
    "EMBEDDING": "EMBEDDING",
    "RERANKER": "RERANKER",
    "GUARDRAIL": "GUARDRAIL",
    "EVALUATOR": "EVALUATOR",
}

_span_type = choice(SPAN_TYPES)

CONVENTION = Convention(
    name="MLflow",
    source="mlflow 3.18 (PyPI): mlflow/tracing/constant.py, mlflow/tracing/processor/otel.py",
    keys=(
        # Plain OTLP has these of no trace yet; MLflow's other processors write them on the root.
        Key("mlflow.trace.session", Field.SESSION_ID),
        Key("mlflow.trace.user", Field.USER_ID),
        Key("mlflow.spanType", Field.SPAN_TYPE, read=lambda text: _span_type(unquoted(text))),
        Key("mlflow.llm.model", Field.MODEL, read=unquoted),
        Key("mlflow.llm.provider", Field.PROVIDER, read=unquoted),
        *usage_keys("mlflow.chat.tokenUsage"),
        Key("mlflow.llm.cost", Field.INPUT_COST, read=cost_at("input_cost")),
        Key("mlflow.llm.cost", Field.OUTPUT_COST, read=cost_at("output_cost")),
        Key("mlflow.llm.cost", Field.TOTAL_COST, read=cost_at("total_cost")),
        Key("mlflow.spanInputs", Field.INPUT, read=unquoted),
        Key("mlflow.spanOutputs", Field.OUTPUT, read=unquoted),
        Key("mlflow.spanOutputs", Field.RESPONSE_ID, read=response_id_in),
    ),
)
