"""The load in the running stack, for the tests of the session page and the trace page."""

from __future__ import annotations

import json
import urllib.request
from functools import cache
from urllib.parse import urlencode

from tests.dashboard.browser.load import (
    BIG_SPANS,
    HOSTILE_SESSION,
    HOSTILE_TRACES,
    LONG,
    LONG_TRACES,
    RICH,
    everything,
)
from tests.fixtures_local import wait_until


@cache
def send_everything(url: str, otlp_url: str) -> None:
    """Send the load, once, to the receiver of a stack and wait until its dashboard at `url` shows all of it."""
    for value in everything():
        request = urllib.request.Request(
            f"{otlp_url}/v1/traces", value, {"Content-Type": "application/x-protobuf"}
        )
        urllib.request.urlopen(request, timeout=60).close()
    expected = {RICH: 19, LONG: LONG_TRACES, "big": BIG_SPANS, HOSTILE_SESSION: 2 * HOSTILE_TRACES}
    for session, spans in expected.items():
        wait_until(lambda: _spans(url, session) == spans, f"{spans} spans of {session!r}", 120)  # noqa: B023


def _spans(url: str, session: str) -> int:
    try:
        with urllib.request.urlopen(f"{url}/api/session?{urlencode({'id': session})}", timeout=30) as answer:
            return int(json.load(answer)["span_count"])
    except OSError:
        return 0


def session_url(url: str, session: str, **more: str) -> str:
    """The address of a session's page."""
    return f"{url}/session?{urlencode({'id': session, **more})}"


def trace_url(url: str, trace: int, span: int | None = None) -> str:
    """The address of a trace's page."""
    return f"{url}/traces/{trace:032x}" + (f"?span={span:016x}" if span is not None else "")
