"""What the requests start from: the sample, and every address of the dashboard."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.running_stack import Up


def samples() -> list[bytes]:
    """The recorded requests that `spanloom up` sends as its sample."""
    return [path.read_bytes() for path in sorted(Path("spanloom/samples").rglob("*.pb"))]


def addresses(up: Up) -> Iterator[bytes]:
    """Every address of the dashboard, with parameters that are right."""

    def asked(path: str) -> Any:
        with urllib.request.urlopen(up.url("dashboard") + path, timeout=60) as answer:
            return json.load(answer)

    traces = asked("/api/traces?limit=2&from=2020-01-01T00:00:00Z")
    trace_id = traces["rows"][0]["trace_id"]
    span_id = asked(f"/api/traces/{trace_id}")["spans"][0]["span_id"]
    filled = {"trace_id": trace_id, "span_id": span_id}
    for path, described in asked("/api/openapi.json")["paths"].items():
        if path.startswith("/api/forget"):
            continue  # without users it says 501, whatever is asked
        place = path.format_map(filled)
        given = described["get"].get("parameters", ())
        needed = "&".join("id=conv-1" for each in given if each["in"] == "query" and each["required"])
        yield f"{place}?{needed}".encode()
        for each in given:
            if each["in"] == "query" and not each["required"]:
                example = f"{each['name']}={_example(each['schema'])}"
                yield f"{place}?{needed}&{example}".encode()
                yield f"{place.removeprefix('/api')}?{needed}&{example}".encode()
    for page in (
        "/",
        "/login",
        "/sessions",
        "/traces",
        "/session?id=conv-1",
        "/session/cards?id=conv-1",
        "/ping",
    ):
        yield page.encode()
    yield from (b"/session/timeline?id=conv-1", b"/session/search?id=conv-1&q=a", b"/api/openapi.json")
    yield f"/traces/{trace_id}/spans/{span_id}/explanation".encode()
    for kind in ("sessions", "traces"):
        after = asked(f"/api/{kind}?limit=2&from=2020-01-01T00:00:00Z")["next"]
        yield f"/api/{kind}?limit=2&cursor={after}".encode()
        yield f"/{kind}?range=all&cursor={after}".encode()


def _example(schema: dict[str, Any]) -> str:
    kinds = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    for kind in kinds:
        if "enum" in kind:
            return str(kind["enum"][0])
        if kind.get("format") == "date-time":
            return "2026-01-31T00:00:00Z"
        if kind.get("type") in ("integer", "number"):
            return "5"
    return "a"
