"""A recording holds nothing of the machine it was made on, and all the rest unchanged."""

from __future__ import annotations

import re
import socket

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.captures_truth import Capture, captures
from tests.recordings.strip import neutral_text, strip
from tests.spans.reading.otlp_examples import event, request, span


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ('File "/home/ada/app/venv/lib/openai/_base.py", line 5', 'File "/app/_base.py", line 5'),
        ("at run (/srv/node_modules/ai/dist/index.mjs:10:5)", "at run (/app/index.mjs:10:5)"),
        ("http://127.0.0.1:8600/v1/chat/completions", "http://127.0.0.1:8600/v1/chat/completions"),
        ("https://example.com/a/b.js", "https://example.com/a/b.js"),
        ("/scratch/xyz/data and more", "/app/data and more"),
        ("either/or, 1/2, and/or.py", "either/or, 1/2, and/or.py"),
        ("nothing", "nothing"),
    ],
)
def test_paths_go(text: str, stripped: str) -> None:
    assert neutral_text(text, ["/scratch/xyz"]) == stripped


def test_what_is_about_the_process_gets_a_neutral_value_and_the_rest_stays() -> None:
    made = request(
        span(
            {"input.value": "hi", "code.filepath": "/home/ada/x.py", "n": 5, "list": ["/home/ada/y.py", "z"]},
            events=[event("exception", {"exception.stacktrace": 'File "/home/ada/x.py"'})],
        ),
    )
    message = ExportTraceServiceRequest.FromString(made)
    for key, value in (
        ("process.pid", "12345"),
        ("process.command_args", "secret"),
        ("service.name", "shop"),
    ):
        attribute = message.resource_spans[0].resource.attributes.add(key=key)
        attribute.value.string_value = value
    stripped = ExportTraceServiceRequest.FromString(strip(message.SerializeToString()))
    resource = {a.key: a.value for a in stripped.resource_spans[0].resource.attributes}
    assert resource["process.pid"].int_value == 1
    assert resource["process.command_args"].string_value == "program.py"
    assert resource["service.name"].string_value == "shop"
    found = stripped.resource_spans[0].scope_spans[0].spans[0]
    attributes = {a.key: a.value for a in found.attributes}
    assert attributes["input.value"].string_value == "hi"
    assert attributes["n"].int_value == 5
    assert attributes["code.filepath"].string_value == "/app/program.py"
    assert [item.string_value for item in attributes["list"].array_value.values] == ["/app/y.py", "z"]
    assert found.events[0].attributes[0].value.string_value == 'File "/app/x.py"'


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_no_recording_names_a_machine(capture: Capture) -> None:
    for message in capture.messages:
        text = message.decode("utf-8", "replace")
        assert re.findall(r"/(?:root|home|tmp|work|Users)/[\w.-]+", text) == []
        assert socket.gethostname() not in text or len(socket.gethostname()) < 5
