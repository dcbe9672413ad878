"""Langfuse's Python SDK: two turns of a session."""

# snippet
from langfuse import Langfuse, observe, propagate_attributes

langfuse = Langfuse(public_key="any", secret_key="any-key", base_url="http://127.0.0.1:4318")


@observe()
def turn(question: str) -> str:
    with propagate_attributes(session_id="my-session", user_id="alice"):
        return answer(question)


# end


def answer(question: str) -> str:
    """Stand for a model's call, which an integration would turn into such an observation."""
    with langfuse.start_as_current_observation(
        name="chat", as_type="generation", model="gpt-4o-mini", input=question
    ) as generation:
        generation.update(output="It is on its way.", usage_details={"input": 100, "output": 40})
    return "It is on its way."


turn("Where is my order?")
turn("And my refund?")
langfuse.shutdown()
