"""Traceloop's Python SDK, OpenLLMetry: two turns of a session."""

# snippet
import os

from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import workflow

os.environ["TRACELOOP_METRICS_ENABLED"] = "false"  # traces are taken, metrics are not
Traceloop.init(app_name="my-application", api_endpoint="http://127.0.0.1:4318", api_key="any-key")


@workflow(name="turn")
def turn(question: str) -> str:
    Traceloop.set_association_properties({"session_id": "my-session", "user_id": "alice"})
    return answer(question)


# end


def answer(question: str) -> str:
    """Stand for a model's call, which the SDK would turn into such a span by itself."""
    from opentelemetry import metrics
    from traceloop.sdk.tracing.manual import LLMMessage, LLMUsage, track_llm_call

    # As instrumentations do, which measure durations and count tokens.
    metrics.get_meter("my-application").create_counter("calls").add(1)
    with track_llm_call(vendor="openai", type="chat") as span:
        span.report_request("gpt-4o-mini", [LLMMessage(role="user", content=question)])
        span.report_response("gpt-4o-mini", ["It is on its way."])
        span.report_usage(LLMUsage(prompt_tokens=100, completion_tokens=40, total_tokens=140))
    return "It is on its way."


turn("Where is my order?")
turn("And my refund?")
