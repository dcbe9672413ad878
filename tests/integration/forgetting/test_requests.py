"""Forgetting asked for through the API: the dashboard writes a request, `spanloom forgetter` does it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from spanloom.dashboard.access.passwords import hash_of
from spanloom.dashboard.access.users import entry
from spanloom.kafka.topics import FORGET_REQUESTS
from spanloom.local.ports import free_port
from tests.fixtures_local import Process, wait_until
from tests.integration import otlp, probes
from tests.integration.installation import Installation
from tests.integration.otlp import SECOND, SESSIONS, TRACES, llm, message, span
from tests.integration.outages import topics

PASSWORD = "correct horse battery"
OWN = {"Sec-Fetch-Site": "same-origin"}
SECRET = "the word that must go"


def part(installation: Installation, name: str, **settings: str) -> Process:
    """A part of spanloom with probes of its own."""
    port = free_port()
    environment = installation.environment | {f"SPANLOOM_{name.upper()}__WEB_PORT": str(port)} | settings
    log = installation.folder / f"{name}.log"
    argv = (sys.executable, "-m", "spanloom", name)
    return Process(argv, lambda: probes.probe(port, "/ready") == 200, log, environment)


@contextlib.contextmanager
def dashboard(installation: Installation) -> Iterator[str]:
    """A dashboard with the users ada, who may have things forgotten, and eve, who sees all and may not."""
    port = free_port()
    users = installation.folder / "users.toml"
    users.write_text(
        entry("ada", hash_of(PASSWORD), ["default"], ["default"]) + entry("eve", hash_of(PASSWORD), ["*"])
    )
    settings = {"PORT": str(port), "USERS_FILE": str(users), "FORGET": "true", "SECRET": "s" * 32}
    with part(
        installation,
        "dashboard",
        **{f"SPANLOOM_DASHBOARD__{name}": value for name, value in settings.items()},
    ):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def logged_in(url: str, name: str) -> Iterator[httpx2.Client]:
    """A program with somebody's login."""
    with httpx2.Client(base_url=url, headers=OWN, timeout=60) as client:
        assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
        yield client


def conversation(first: int, session: str, said: str = SECRET, traces: int = 20) -> list[bytes]:
    """Traces of a session of two spans each."""
    now = time.time_ns()
    found = []
    for number in range(first, first + traces):
        start = now + number * SECOND
        root = span(number, 1, start=start, session__id=session, user__id="grace", input__value=said)
        found.append(message(root, llm(number, 2, 1, start=start, input__value=said)))
    return found


def follow(client: httpx2.Client, ticket: str) -> dict[str, Any]:
    answer = client.get(f"/api/forget/{ticket}", params={"project": "default"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wait_for(client: httpx2.Client, ticket: str, status: str) -> dict[str, Any]:
    """Wait until a request has a status, and return what is said of it."""
    wait_until(lambda: follow(client, ticket)["status"] == status, f"the request to be {status}", 90)
    return follow(client, ticket)


def lines(installation: Installation) -> list[tuple[str, ...]]:
    """The audit, without numbers."""
    rows = installation.sql("SELECT step, who, project_id, kind FROM erasures ORDER BY time")
    return [tuple(row.values()) for row in rows]


def test_a_session_is_forgotten_by_request(installation: Installation) -> None:
    installation.worker()
    gone, stays = conversation(1, "gone"), conversation(101, "stays", "fine")
    installation.produce([*gone, *stays])
    installation.wait_for(SESSIONS, otlp.expected_sessions([*gone, *stays]))
    wanted = {"project": "default", "session": "gone"}
    with dashboard(installation) as url, logged_in(url, "ada") as ada, logged_in(url, "eve") as eve:
        assert eve.post("/api/forget", json=wanted).status_code == 403
        assert ada.post("/api/forget", json=wanted | {"project": "other"}).status_code == 403
        assert (
            ada.post("/api/forget", json=wanted, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        )
        counts = ada.post("/api/forget", json=wanted | {"dry_run": True})
        assert (counts.status_code, counts.json()) == (
            200,
            {"dry_run": True, "traces": 20, "spans": 40, "sessions": 1},
        )
        asked = ada.post("/api/forget", json=wanted)
        assert asked.status_code == 202
        ticket = asked.json()["id"]
        assert follow(ada, ticket)["status"] == "waiting"
        assert [json.loads(record.value)["who"] for record in installation.consume(FORGET_REQUESTS)] == [
            "ada"
        ]
        assert installation.sql(SESSIONS) == otlp.expected_sessions([*gone, *stays])
        with part(installation, "forgetter") as forgetter:
            done = wait_for(ada, ticket, "done")
            assert (done["kind"], done["traces"], done["spans"]) == ("session", 20, 40)
            installation.wait_for(SESSIONS, otlp.expected_sessions(stays))
            installation.wait_for(TRACES, otlp.expected_traces(stays))
            assert installation.sql("SELECT max(input = 'fine') AS fine, count() AS n FROM spans") == [
                {"fine": 1, "n": 40}
            ]
            assert SECRET not in json.dumps(installation.sql("SELECT * FROM spans_versions"))
            assert lines(installation) == [(step, "ada", "default", "session") for step in ("begun", "done")]
            # What is no request harms nothing, and those behind it are done.
            installation.produce([b"nonsense"], FORGET_REQUESTS, partitions=1)
            ticket = ada.post("/api/forget", json={"project": "default", "user": "grace"}).json()["id"]
            assert wait_for(ada, ticket, "done")["traces"] == 20
            assert installation.sql(TRACES) == []
            assert "is no request, and left out: it is no JSON" in forgetter.log
            for text in ("gone", "grace", SECRET):
                assert text not in forgetter.log
            assert forgetter.stop() == 0


def test_a_request_that_was_broken_off_is_taken_up_again_and_one_that_is_done_is_not(
    installation: Installation,
) -> None:
    worker = installation.worker()
    gone, stays = conversation(1, "gone"), conversation(101, "stays", "fine")
    installation.produce([*gone, *stays])
    installation.wait_for(SESSIONS, otlp.expected_sessions([*gone, *stays]))
    with dashboard(installation) as url, logged_in(url, "ada") as ada:
        ticket = ada.post("/api/forget", json={"project": "default", "session": "gone"}).json()["id"]
        # Without a worker it can't come to its end.
        worker.kill()
        with part(installation, "forgetter") as forgetter:
            wait_until(
                lambda: installation.sql("SELECT count() AS n FROM forgotten_traces") != [{"n": 0}],
                "it to begin",
            )
            assert follow(ada, ticket)["status"] == "running"
            forgetter.stop(signal.SIGKILL)
        assert follow(ada, ticket)["status"] == "running"
        installation.worker()
        with part(installation, "forgetter") as forgetter:
            done = wait_for(ada, ticket, "done")
            assert (done["traces"], done["spans"]) == (20, 40)
            installation.wait_for(SESSIONS, otlp.expected_sessions(stays))
            forgetter.stop(signal.SIGKILL)
        # Read once more, as after a kill before the offset was committed: what came since was not meant.
        [record] = installation.consume(FORGET_REQUESTS)
        installation.produce([record.value], FORGET_REQUESTS, partitions=1)
        later = conversation(201, "gone", "new")
        installation.produce(later)
        installation.wait_for(SESSIONS, otlp.expected_sessions([*stays, *later]))
        with part(installation, "forgetter"):
            ticket = ada.post("/api/forget", json={"project": "default", "trace": f"{101:032x}"}).json()["id"]
            assert wait_for(ada, ticket, "done")["traces"] == 1
        installation.wait_for(SESSIONS, otlp.expected_sessions([*stays[1:], *later]))


def test_the_forgetter_waits_through_outages(installation: Installation) -> None:
    installation.worker()
    gone = conversation(1, "gone")
    installation.produce(gone)
    installation.wait_for(SESSIONS, otlp.expected_sessions(gone))
    nowhere = {"SPANLOOM_CLICKHOUSE__URL": f"http://127.0.0.1:{free_port()}"}
    port = free_port()
    waits = Process(
        (sys.executable, "-m", "spanloom", "forgetter"),
        lambda: probes.probe(port, "/live") == 200,
        installation.folder / "waits.log",
        installation.environment | nowhere | {"SPANLOOM_FORGETTER__WEB_PORT": str(port)},
    )
    with waits:
        wait_until(lambda: "waiting for it" in waits.log, "the outage to be told")
        assert probes.probe(port, "/ready") == 503
        assert waits.stop() == 0


@pytest.mark.parametrize("missing", ["topic", "tables", "port"])
def test_the_forgetter_ends_with_one_sentence_where_waiting_does_not_help(
    installation: Installation, missing: str
) -> None:
    environment = {"SPANLOOM_FORGETTER__WEB_PORT": str(free_port())}
    sentences = {
        "topic": f"topic {FORGET_REQUESTS} does not exist: run `spanloom topics` first",
        "tables": "run `spanloom migrate`",
        "port": "set SPANLOOM_FORGETTER__WEB_PORT to a free port",
    }
    with contextlib.ExitStack() as stack:
        if missing == "topic":
            topics.delete(installation, FORGET_REQUESTS)
        if missing == "tables":
            environment["SPANLOOM_CLICKHOUSE__DATABASE"] = f"none_{os.getpid()}"
        if missing == "port":
            taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            environment["SPANLOOM_FORGETTER__WEB_PORT"] = str(taken.getsockname()[1])
        installation.settings |= environment
        said = installation.spanloom("forgetter", code=1)
    assert sentences[missing] in said
    assert "Traceback" not in said
