"""How long the dashboard takes on a big database: `python -m benchmarks.dashboard.queries --url …`.

Asks for each page, and each question of the API, in this process, over the database that `benchmarks.dashboard.load`
filled: from the request to the last byte, ClickHouse over HTTP in between. p50 and p95 in milliseconds, each request
once before the clock starts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import httpx2

from benchmarks.dashboard.load import DAYS, START, database
from benchmarks.dashboard.sql import BIG, NEEDLE, SESSION_ID
from spanloom.dashboard.app import dashboard_app
from spanloom.dashboard.settings import DashboardSettings
from spanloom.warehouse.client import Warehouse, connect
from spanloom.warehouse.queries.sessions.list import SessionSort
from spanloom.warehouse.queries.traces.list import TraceSort

END = datetime.fromtimestamp(START, UTC) + timedelta(days=DAYS)


@dataclass(frozen=True)
class Question:
    """One request, and how long it may take (p95, ms) where a goal is set."""

    name: str
    path: str
    parameters: dict[str, Any]
    goal: int | None = None


async def questions(warehouse: Warehouse, end: datetime) -> list[Question]:
    """All questions, those of the biggest session and trace among them; ranges end at `end`."""

    def last(days: int) -> dict[str, str]:
        return {"from": (end - timedelta(days=days)).isoformat(), "to": end.isoformat()}

    [big] = await warehouse.query_rows(
        "name the biggest session",
        "SELECT session_id, argMax(trace_id, span_count) AS trace_id FROM traces WHERE session_id IN "
        f"(SELECT {SESSION_ID} FROM (SELECT {BIG} AS s)) GROUP BY session_id",
    )
    session, trace = {"id": big["session_id"]}, big["trace_id"]
    spans = await warehouse.query_rows(
        "name a span",
        "SELECT span_id FROM spans WHERE trace_id = {trace:String} ORDER BY start_time LIMIT 1",
        {"trace": trace},
    )
    asked = [
        Question("page /sessions, 24 h", "/sessions", last(1), 300),
        Question("page /sessions, 30 days", "/sessions", last(30), 1000),
        Question(
            "page /sessions, 30 days by total_cost", "/sessions", last(30) | {"sort": "total_cost"}, 1000
        ),
        Question("page /sessions, a day, with text (rare)", "/sessions", last(1) | {"q": NEEDLE}, 1000),
        Question("page /sessions, a day, with text (frequent)", "/sessions", last(1) | {"q": "an"}, 1000),
        Question("page /traces, 24 h", "/traces", last(1)),
        Question("page /traces, 30 days", "/traces", last(30)),
        Question("page of a session of 1,000 traces", "/session", session, 300),
        Question("page of a session of 1,000 traces, timeline", "/session", session | {"view": "timeline"}),
        Question("page of a trace of 10,000 spans", f"/traces/{trace}", {}),
    ]
    asked += [Question("sessions, 24 h", "/api/sessions", last(1), 300)]
    asked += [
        Question(f"sessions, 24 h by {sort}", "/api/sessions", last(1) | {"sort": sort}, 300)
        for sort in ("total_cost", "tags")
    ]
    asked += [
        Question(f"sessions, 30 days by {sort}", "/api/sessions", last(30) | {"sort": sort}, 1000)
        for sort in get_args(SessionSort)
    ]
    asked += [
        Question("sessions, a day, with text (rare)", "/api/sessions", last(1) | {"q": NEEDLE}, 1000),
        Question("sessions, a day, with text (frequent)", "/api/sessions", last(1) | {"q": "an"}, 1000),
        Question("sessions, 30 days, with text (rare)", "/api/sessions", last(30) | {"q": NEEDLE}),
        Question("sessions, 24 h, metadata", "/api/sessions", last(1) | {"metadata": "plan=pro"}, 300),
        Question(
            "sessions, 24 h, model and min_cost",
            "/api/sessions",
            last(1) | {"model": "gpt-4o", "min_cost": "0.1"},
            300,
        ),
        Question("traces, 24 h", "/api/traces", last(1)),
        Question("traces, a day, with text (rare)", "/api/traces", last(1) | {"q": NEEDLE}, 1000),
    ]
    asked += [
        Question(f"traces, 30 days by {sort}", "/api/traces", last(30) | {"sort": sort})
        for sort in get_args(TraceSort)
    ]
    for kind in ("sessions", "traces"):
        for days, goal in ((1, 300), (30, 1000)):
            asked.append(
                Question(
                    f"histogram of {kind}, {days} d", "/api/histogram", last(days) | {"kind": kind}, goal
                )
            )
            asked.append(
                Question(f"facets of {kind}, {days} d", "/api/facets", last(days) | {"kind": kind}, goal)
            )
    return [
        *asked,
        Question("session of 1,000 traces: header", "/api/session", session, 300),
        Question("session of 1,000 traces: 50 cards", "/api/session/traces", session, 300),
        Question(
            "session of 1,000 traces: 1,000 cards", "/api/session/traces", session | {"limit": "1000"}, 300
        ),
        Question("session of 1,000 traces: timeline", "/api/session/timeline", session),
        Question("session of 1,000 traces: search", "/api/session/search", session | {"q": "xylo"}),
        Question("trace of 10,000 spans: tree", f"/api/traces/{trace}", {}),
        *(Question("one span", f"/api/traces/{trace}/spans/{span['span_id']}", {}) for span in spans),
    ]


def cpu_seconds(pid: int | None) -> float:
    """The CPU time of a process so far, in seconds; 0 without one."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(warehouse: Warehouse, runs: int, only: str, end: datetime, pid: int | None) -> bool:
    """Print a line a question; true if every goal is met."""
    met = True
    transport = httpx2.ASGITransport(dashboard_app(warehouse, DashboardSettings()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        for question in await questions(warehouse, end):
            if only not in question.name:
                continue
            took, size, used = [], 0, 0.0
            for number in range(runs + 1):
                if number == 1:
                    used = cpu_seconds(pid)
                started = time.perf_counter()
                answer = await client.get(question.path, params=question.parameters)
                took.append((time.perf_counter() - started) * 1000)
                size = len(answer.content)
                if answer.status_code != 200:
                    print(f"{question.name}: {answer.status_code} {answer.text}")
                    break
            used = (cpu_seconds(pid) - used) * 1000 / runs
            warm = sorted(took[1:]) or took
            p95 = warm[min(len(warm) - 1, round(len(warm) * 0.95))]
            good = question.goal is None or p95 <= question.goal
            met = met and good
            goal = f"| {question.goal} " if question.goal else "| "
            print(
                f"| {question.name} | {statistics.median(warm):.0f} | {p95:.0f} {goal}| {used:.0f} "
                f"| {size / 1000:.0f} | {'' if good else 'MISSED'}",
                flush=True,
            )
    return met


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.dashboard.queries", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--url", help="a ClickHouse that is there; else one is started")
    parser.add_argument("--data", type=Path, default=Path("benchmark-data"), help="folder of the one started")
    parser.add_argument("--runs", type=int, default=20, help="times each question is asked (20)")
    parser.add_argument("--only", default="", help="only questions whose name has this in it")
    parser.add_argument(
        "--days-before-end",
        type=int,
        default=0,
        help="days between the end of the ranges and the load's end (0)",
    )
    parser.add_argument("--pid", type=int, help="ClickHouse's process, to show the CPU time it takes")
    options = parser.parse_args()
    with database(options.url, options.data) as settings:
        warehouse = connect(settings)
        print("| question | p50 ms | p95 ms | goal | ClickHouse's CPU ms | kB |\n|---|---|---|---|---|---|")
        met = asyncio.run(
            measure(
                warehouse,
                options.runs,
                options.only,
                END - timedelta(days=options.days_before_end),
                options.pid,
            )
        )
        warehouse.close()
    if not met:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
