"""DSPy under OpenInference: a module that asks twice, by prompts that DSPy writes; sessions by `using_attributes`.

OpenInference writes no usage of DSPy's calls.
"""

from __future__ import annotations

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"  # no network

from collections.abc import Sequence
from typing import Any

import dspy
from openinference.instrumentation import using_attributes
from openinference.instrumentation.dspy import DSPyInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
DSPyInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider, details=[])


class Plain(dspy.ChatAdapter):
    """An answer of one field is its text, without DSPy's marks, which the stand-in does not write."""

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """Return the whole as the one field."""
        (field,) = signature.output_fields
        return {field: completion}


class Helper(dspy.Module):
    """Makes a search of a question, then answers it."""

    def __init__(self) -> None:
        """Two predictions."""
        super().__init__()
        self.search = dspy.Predict("question -> search")
        self.answer = dspy.Predict("question, search -> answer")

    def forward(self, question: str) -> dspy.Prediction:
        """Ask twice."""
        search = self.search(question=question).search
        return self.answer(question=question, search=search[:40])


dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", cache=False, num_retries=0), adapter=Plain())


def chat(
    session: str,
    user: str,
    words: Sequence[str],
    module: dspy.Module,
    *,
    calls: int,
    tags: Sequence[str] = (),
) -> None:
    """A conversation, each turn a trace of so many calls."""
    for said in words:
        with (
            turns.turn(session, said, user=user, tags=tags, fails="fail" in said) as turn,
            using_attributes(session_id=session, user_id=user, tags=list(tags)),
        ):
            turn.answer = module(question=said).answer
            turn.unread = calls


chat("dspy-1", "ada", ["Hello DSPy, how are you?", "Grüße 🙂"], Helper(), calls=2, tags=["beta", "web"])
chat("dspy-2", "bob", ["Where is Rome?", "please fail"], dspy.Predict("question -> answer"), calls=1)
provider.shutdown()
