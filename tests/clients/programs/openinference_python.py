"""OpenInference with OpenTelemetry's exporter: two turns of a session."""

# snippet
from openinference.instrumentation import TracerProvider, using_attributes
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint="http://127.0.0.1:4317")))
trace.set_tracer_provider(provider)  # before OpenAIInstrumentor().instrument() and the like


def turn(question: str) -> str:
    with using_attributes(session_id="my-session", user_id="alice"):
        return answer(question)


# end


def answer(question: str) -> str:
    """Stand for a model's call, which an instrumentation would turn into such a span."""
    from openinference.instrumentation import get_llm_attributes

    tracer = provider.get_tracer("my-application")
    with tracer.start_as_current_span("ChatCompletion", openinference_span_kind="llm") as span:
        span.set_attributes(
            get_llm_attributes(
                provider="openai",
                model_name="gpt-4o-mini",
                input_messages=[{"role": "user", "content": question}],
                token_count={"prompt": 100, "completion": 40, "total": 140},
            )
        )
    return "It is on its way."


turn("Where is my order?")
turn("And my refund?")
provider.shutdown()
