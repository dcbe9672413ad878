"""Laminar's Python SDK: two turns of a session."""

# snippet
from lmnr import Laminar, observe

Laminar.initialize(project_api_key="any-key", base_url="http://127.0.0.1", http_port=4318, grpc_port=4317)


@observe(session_id="my-session", user_id="alice")
def turn(question: str) -> str:
    return answer(question)


# end


def answer(question: str) -> str:
    """Stand for a model's call, which the SDK would turn into such a span by itself."""
    with Laminar.start_as_current_span("chat", span_type="LLM", input=question):
        Laminar.set_span_attributes(
            {
                "gen_ai.system": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 40,
            }
        )
        Laminar.set_span_output("It is on its way.")
    return "It is on its way."


turn("Where is my order?")
turn("And my refund?")
Laminar.shutdown()
