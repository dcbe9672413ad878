"""Instructor under OpenInference, and OpenAI below it: answers in a form, which are asked for again if refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import instructor
from openai import AsyncOpenAI, OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.instructor import InstructorInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic import BaseModel, field_validator
from turns import Turn, Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument(tracer_provider=provider)
InstructorInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider, details=["cache_read_tokens", "reasoning_tokens"])
MODEL = "gpt-4o-mini"


class Report(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


refusals: list[str] = []
"""Why the next answers are refused."""


class CheckedReport(Report):
    """One whose degrees are looked at."""

    @field_validator("degrees")
    @classmethod
    def _plausible(cls, degrees: int) -> int:
        if refusals:
            raise ValueError(refusals.pop())
        return degrees


@contextmanager
def turn(session: str, said: str, *, fails: bool = False) -> Iterator[Turn]:
    """A turn of a session."""
    with (
        turns.turn(session, said, user="ina", tags=["forms"], fails=fails) as begun,
        using_attributes(session_id=session, user_id="ina", tags=["forms"]),
    ):
        yield begun


def asked(said: str) -> list[dict[str, str]]:
    """The messages of a call."""
    return [{"role": "system", "content": "You know the weather."}, {"role": "user", "content": said}]


def as_json(report: BaseModel) -> str:
    """A form, filled in."""
    return json.dumps(report.model_dump())


def forms(session: str) -> None:
    """The form as a tool, and as the schema of an answer; once it is asked for again, once it is given up."""
    client = instructor.from_openai(OpenAI(max_retries=0))
    strict = instructor.from_openai(OpenAI(max_retries=0), mode=instructor.Mode.JSON_SCHEMA)
    for said, by in (("How warm is it in Berlin? ☀️", client), ("And by a schema?", strict)):
        with turn(session, said) as begun:
            report = by.create(model=MODEL, messages=asked(said), response_model=Report)
            begun.answer = as_json(report)
    for said, by in (("Check the degrees", client), ("Check them by a schema", strict)):
        refusals.append("too cold")
        with turn(session, said) as begun:
            report = by.create(model=MODEL, messages=asked(said), response_model=CheckedReport, max_retries=3)
            begun.answer = as_json(report)
    said = "Check them in vain"
    refusals.extend(["too cold", "too warm"])
    with turn(session, said, fails=True):
        client.create(model=MODEL, messages=asked(said), response_model=CheckedReport, max_retries=1)


def around(session: str) -> None:
    """In a span of the program, which makes a sentence of the form; a call that fails."""
    client = instructor.from_openai(OpenAI(max_retries=0))
    tracer = trace.get_tracer("weather")
    for said in ("Tell me the weather", "please fail"):
        with turn(session, said, fails="fail" in said) as begun:
            attributes = {"openinference.span.kind": "CHAIN", "input.value": said}
            with tracer.start_as_current_span("tell", attributes=attributes) as span:
                report = client.create(model=MODEL, messages=asked(said), response_model=Report)
                begun.answer = f"It is {report.degrees} degrees in {report.city}."
                span.set_attribute("output.value", begun.answer)


async def asynchronous(session: str) -> None:
    """The asynchronous client, a stream, and a client that is patched in the old way."""
    client = instructor.from_openai(AsyncOpenAI(max_retries=0))
    said = "Asynchronously, how warm is it?"
    with turn(session, said) as begun:
        report = await client.create(model=MODEL, messages=asked(said), response_model=Report)
        begun.answer = as_json(report)
    said = "Stream the form"
    with turn(session, said) as begun:
        # Not by the synchronous client: it takes OpenInference's stream, which is both, for an asynchronous one.
        async for partial in client.create_partial(
            model=MODEL,
            messages=asked(said),
            response_model=Report,
            stream_options={"include_usage": True},
        ):
            begun.answer = as_json(partial)
    patched = instructor.patch(OpenAI(max_retries=0))
    said = "And patched?"
    with turn(session, said) as begun:
        report = patched.chat.completions.create(model=MODEL, messages=asked(said), response_model=Report)
        begun.answer = as_json(report)


forms("instructor-1")
around("instructor-2")
asyncio.run(asynchronous("instructor-3"))
provider.shutdown()
