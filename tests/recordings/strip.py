"""Takes the machine out of a recording: host names, paths, process IDs, command lines, user names.

Neutral values stand in their place; everything else stays as it was.
"""

from __future__ import annotations

import getpass
import platform
import re
import socket
from collections.abc import Iterable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

NEUTRAL: dict[str, str | int] = {
    "host.name": "host",
    "host.id": "host",
    "host.arch": "amd64",
    "os.version": "0",
    "process.pid": 1,
    "process.parent_pid": 1,
    "process.command": "program.py",
    "process.command_line": "program.py",
    "process.executable.name": "python",
    "process.executable.path": "/app/bin/python",
    "process.owner": "user",
    "process.runtime.description": "python",
    "code.filepath": "/app/program.py",
    "code.file.path": "/app/program.py",
    "service.instance.id": "instance",
}
"""Attributes whose whole value is about the machine. Those not here are searched for paths and names."""

_FILE = re.compile(r"/(?:[\w.@+~-]+/)+(?=[\w.@+~-]+\.(?:pyx?|c?js|mjs|ts|so)\b)")
"""The folder of a source file, as stack traces show it."""


def _names() -> list[str]:
    """Names of this machine, its kernel and its user that are long enough not to be a word of something else."""
    names = {
        socket.gethostname(),
        socket.gethostname().partition(".")[0],
        platform.release(),
        getpass.getuser(),
    }
    return [name for name in names if len(name) > 4]


def neutral_text(text: str, folders: Iterable[str] = ()) -> str:
    """The text without paths and names; `folders` are whole paths that must not be seen either."""
    for folder in folders:
        text = text.replace(folder, "/app")
    # The address of a call is no path.
    text = re.sub(r"(?<![\w:/])" + _FILE.pattern, "/app/", text)
    for name in _names():
        text = text.replace(name, "host")
    return text


def strip(body: bytes, folders: Iterable[str] = ()) -> bytes:
    """An OTLP message without the machine it was recorded on."""
    request = ExportTraceServiceRequest.FromString(body)
    known = sorted(folders, key=len, reverse=True)
    for resource_spans in request.resource_spans:
        _attributes(resource_spans.resource.attributes, known)
        for scope_spans in resource_spans.scope_spans:
            _attributes(scope_spans.scope.attributes, known)
            for span in scope_spans.spans:
                _attributes(span.attributes, known)
                if span.status.message:
                    span.status.message = neutral_text(span.status.message, known)
                for event in span.events:
                    _attributes(event.attributes, known)
                for link in span.links:
                    _attributes(link.attributes, known)
    return request.SerializeToString()


def _attributes(attributes: Iterable[KeyValue], folders: list[str]) -> None:
    for attribute in attributes:
        neutral = NEUTRAL.get(attribute.key)
        if neutral is None:
            _value(attribute.value, folders, attribute.key.startswith("process.command"))
        elif isinstance(neutral, int):
            attribute.value.int_value = neutral
        else:
            attribute.value.string_value = neutral


def _value(value: AnyValue, folders: list[str], is_process: bool) -> None:
    kind = value.WhichOneof("value")
    if kind == "string_value" and is_process:
        value.string_value = "program.py"
    elif kind == "string_value":
        text = neutral_text(value.string_value, folders)
        if text != value.string_value:
            value.string_value = text
    elif kind == "array_value":
        if is_process:  # the arguments of the command
            del value.array_value.values[1:]
        for item in value.array_value.values:
            _value(item, folders, is_process)
    elif kind == "kvlist_value":
        _attributes(value.kvlist_value.values, folders)
