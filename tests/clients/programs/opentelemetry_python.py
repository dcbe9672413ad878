"""OpenTelemetry's Python SDK: two turns of a session."""

# snippet
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint="http://127.0.0.1:4318/v1/traces")))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("my-application")


def turn(question: str) -> str:
    with tracer.start_as_current_span("turn") as span:
        span.set_attributes({"session.id": "my-session", "user.id": "alice"})
        return answer(question)


# end


def answer(question: str) -> str:
    """Stand for a model's call, by the semantic conventions of GenAI."""
    with tracer.start_as_current_span("chat gpt-4o-mini") as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "input.value": question,
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 40,
            }
        )
    return "It is on its way."


turn("Where is my order?")
turn("And my refund?")
provider.shutdown()
