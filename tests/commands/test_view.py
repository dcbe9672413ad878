"""`spanloom sessions`, `session`, `trace` and `models`: what they print, and each mistake one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from spanloom.commands.cli import main
from spanloom.commands.viewing import asking
from spanloom.warehouse.client import Warehouse
from spanloom.warehouse.queries.ask import QueryLimits
from spanloom.warehouse.queries.overview import models
from tests.dashboard.world import put_world, trace
from tests.warehouse.tables import SECOND, START, put, spans

EVER = ("--since", "1970-01-01")


class Done(NamedTuple):
    """What a command has printed, and its exit code."""

    out: str
    problem: str
    code: int

    @property
    def json(self) -> Any:
        """What it has printed for programs."""
        assert self.code == 0, self.problem
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def spanloom(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command on the warehouse."""
    monkeypatch.setenv("SPANLOOM_CLICKHOUSE__URL", warehouse.settings.url)
    monkeypatch.setenv("SPANLOOM_CLICKHOUSE__DATABASE", warehouse.settings.database)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, **settings: str) -> Done:
        for name, value in settings.items():
            monkeypatch.setenv(f"SPANLOOM_CLICKHOUSE__{name.upper()}", value)
        monkeypatch.setattr(sys, "argv", ["spanloom", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Done(printed.out, printed.err, int(ended.value.code or 0))

    return run


@pytest.fixture
def chat(warehouse: Warehouse, project: str) -> str:
    """A project with a session of three turns, the first of which called a model and a tool that failed."""
    turns = (
        trace(
            project,
            f"{project}-chat",
            number,
            at=10 * number,
            input=f"question {number}",
            output=f"answer {number}",
            user_id="ada",
            input_tokens=10,
            output_tokens=5,
            total_cost=0.25,
            span_count=2 if number == 1 else 1,
            error_count=1 if number == 1 else 0,
            models=["gpt"],
        )
        for number in (1, 2, 3)
    )
    put_world(warehouse, *turns)
    start = (START + 10) * SECOND
    call: dict[str, Any] = {
        "project_id": project,
        "trace_id": f"{1:032x}",
        "span_id": "a" * 16,
        "name": "chat",
        "span_type": "LLM",
        "provider": "openai",
        "model": "gpt",
        "start_time": start,
        "end_time": start + 2 * SECOND,
        "input_tokens": 10,
        "output_tokens": 5,
        "input": "the whole question",
        "attributes": [("k", "v")],
    }
    tool = call | {
        "span_id": "b" * 16,
        "parent_span_id": "a" * 16,
        "name": "search",
        "span_type": "TOOL",
        "model": "",
        "provider": "",
        "input_tokens": 0,
        "output_tokens": 0,
        "status": "error",
        "status_message": "no such page",
    }
    put(warehouse, "spans_versions", spans(call, tool))
    return project


def test_sessions_are_listed_with_their_whole_totals(spanloom: Run, chat: str) -> None:
    done = spanloom("sessions", *EVER, "--project", chat)
    assert (done.code, done.problem) == (0, "")
    head, line = done.out.splitlines()
    assert head.split()[:3] == ["session", "started", "duration"]
    assert line.split()[0] == f"{chat}-chat"
    assert "30 → 15 (45)" in line
    assert "$0.7500" in line
    [row] = spanloom("sessions", *EVER, "--project", chat, "--json").json
    assert (row["session_id"], row["trace_count"], row["total_tokens"]) == (f"{chat}-chat", 3, 45)
    assert row["start_time"] == f"{datetime.fromtimestamp(START + 10, UTC):%Y-%m-%dT%H:%M:%S}.000000Z"


def test_no_session_is_no_error(spanloom: Run, project: str) -> None:
    done = spanloom("sessions", "--project", project)
    assert (done.code, done.out.split(":")[0]) == (0, "no session was active in the last 24h")
    assert spanloom("sessions", "--project", project, "--json").json == []


def test_more_sessions_than_one_query_returns_come_in_order(
    spanloom: Run, warehouse: Warehouse, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_world(
        warehouse,
        *(trace(project, f"s{number}", number, at=number, total_cost=number) for number in range(7)),
    )
    monkeypatch.setattr(asking, "_SESSIONS_AT_ONCE", 2)

    def listed(limit: int) -> list[str]:
        options = ("--sort", "cost", "--limit", str(limit), "--project", project, "--json")
        return [row["session_id"] for row in spanloom("sessions", *EVER, *options).json]

    dearest_first = [f"s{number}" for number in reversed(range(7))]
    assert [listed(limit) for limit in (5, 6, 7, 100)] == [
        dearest_first[:5],
        dearest_first[:6],
        dearest_first,
        dearest_first,
    ]


def test_a_session_shows_its_inputs_and_outputs_in_order(spanloom: Run, chat: str) -> None:
    done = spanloom("session", f"{chat}-chat")
    assert done.code == 0
    turns = [line for line in done.out.splitlines() if "question" in line]
    assert [turn.split()[0] for turn in turns] == ["1/3", "2/3", "3/3"]
    assert all(f"answer {number}" in turn for number, turn in enumerate(turns, 1))
    found = spanloom("session", f"{chat}-chat", "--json").json
    assert found["session"]["project_id"] == chat
    assert [turn["input"] for turn in found["traces"]] == ["question 1", "question 2", "question 3"]
    assert found["complete"] is True


def test_a_session_with_many_traces_says_how_many_are_left(
    spanloom: Run, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_MOST_TRACES", 2)
    assert "and 1 more traces" in spanloom("session", f"{chat}-chat").out
    found = spanloom("session", f"{chat}-chat", "--json").json
    assert (len(found["traces"]), found["complete"]) == (2, False)


def test_a_trace_is_a_tree_and_as_json_whole(spanloom: Run, chat: str) -> None:
    done = spanloom("trace", f"{1:032X}", "--project", chat)
    assert done.code == 0
    head, asked, answered, root, call, tool = done.out.splitlines()
    assert head.startswith("turn  2.0 s  10 → 5 (15) tokens  $0.2500")
    assert (asked, answered) == ("input: question 1", "output: answer 1")
    assert root == f"{1:032x}"
    assert call.split()[:3] == ["└──", "LLM", "chat"]
    assert tool.startswith("    └── ")
    assert "no such page" in tool
    found = spanloom("trace", f"{1:032x}", "--project", chat, "--json").json
    assert found["trace"]["session_id"] == f"{chat}-chat"
    assert found["complete"] is True
    assert [span["span_id"] for span in found["spans"]] == ["a" * 16, "b" * 16]
    assert found["spans"][0]["input"] == "the whole question"
    assert found["spans"][0]["attributes"] == {"k": "v"}


def test_models_are_listed_with_what_is_not_known(spanloom: Run, chat: str) -> None:
    options = (*EVER, "--project", chat)
    done = spanloom("models", *options)
    assert done.out.splitlines()[1].split()[-1] == "unknown"
    [row] = spanloom("models", *options, "--unpriced", "--json").json
    assert (row["provider"], row["model"], row["call_count"], row["unpriced_call_count"]) == (
        "openai",
        "gpt",
        1,
        1,
    )


def test_models_without_a_price_say_why_and_what_to_write(
    spanloom: Run, chat: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("models", *EVER, "--project", chat, "--unpriced")
    done = spanloom(*options)
    assert "    1 call: no price for gpt at openai\n" in done.out
    entry = done.out[done.out.index("[[price]]") :]
    assert entry.splitlines()[:3] == ["[[price]]", 'provider = "openai"', 'model = "gpt"']
    [row] = spanloom(*options, "--json").json
    assert row["reasons"] == ["1 call: no price for gpt at openai"]
    assert row["price_entry"] == entry.strip()
    # As it is, the file is refused; with prices in it the call has one.
    path = tmp_path / "prices.toml"
    monkeypatch.setenv("SPANLOOM_WORKER__PRICES_FILE", str(path))
    path.write_text(entry)
    refused = spanloom(*options)
    assert refused.code == 1
    assert "is no valid TOML" in refused.problem
    path.write_text(entry.replace("input = ", "input = 1").replace("output = ", "output = 2"))
    assert "1 call: a price for gpt at openai is known by now" in spanloom(*options).out


def test_the_commands_only_read(spanloom: Run, chat: str) -> None:
    for command in (
        ("sessions", *EVER),
        ("session", f"{chat}-chat"),
        ("trace", f"{1:032x}"),
        ("models", *EVER),
    ):
        for as_json in (), ("--json",):
            done = spanloom(*command, *as_json, "--project", chat, settings='{"readonly": "1"}')
            assert (done.code, done.problem) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("session", "nobody"), 1, "there is no session nobody: `spanloom sessions --since 30d` lists"),
        (("session", ""), 1, "there is no session "),
        (
            ("session", "a\udcff"),
            2,
            "a name, an ID or a project on the command line is not UTF-8: correct it",
        ),
        (
            ("models", "--project", "a\udcff"),
            2,
            "a name, an ID or a project on the command line is not UTF-8",
        ),
        (("trace", "f" * 32), 1, f"there is no trace {'f' * 32}"),
        (("trace", "f" * 32, "--json"), 1, f"there is no trace {'f' * 32}"),
        (("trace", "f"), 2, "a trace ID has 32 hexadecimal digits"),
        (("sessions", "--sort", "size"), 2, "sessions can't be sorted by size: use one of cost, tokens"),
        (("sessions", "--since", "soon"), 2, "--since soon is no time from 1970 to 2261: write 30m, 24h"),
        (("models", "--since", "0001-01-01"), 2, "--since 0001-01-01 is no time from 1970 to 2261"),
        (("sessions", "--since", "9999-12-31T23:59-12:00"), 2, "--since 9999-12-31T23:59-12:00 is no time"),
    ],
)
def test_a_mistake_is_one_sentence(
    spanloom: Run, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = spanloom(*arguments)
    assert (done.out, done.code) == ("", code)
    assert done.problem.startswith(sentence)
    assert len(done.problem.splitlines()) == 1


@pytest.mark.parametrize("since", ["999999w", "9999w"])
def test_weeks_before_1970_mean_everything(spanloom: Run, chat: str, since: str) -> None:
    assert len(spanloom("sessions", "--since", since, "--project", chat, "--json").json) == 1
    assert len(spanloom("models", "--since", since, "--project", chat, "--json").json) == 1


def test_what_several_projects_have_asks_for_one(spanloom: Run, warehouse: Warehouse, project: str) -> None:
    here, there = f"{project}a", f"{project}b"
    number = 77
    put_world(warehouse, *(trace(name, "shared", number) for name in (here, there)))
    for command in (
        ("session", "shared"),
        ("trace", f"{number:032x}"),
        ("trace", f"{number:032x}", "--json"),
    ):
        done = spanloom(*command)
        what = command[0]
        assert done.problem == (
            f"There is such a {what} in the projects {here}, {there}: name one with --project\n"
        )
        assert done.code == 1
        assert spanloom(*command, "--project", there).code == 0


def test_a_query_that_is_too_big_says_what_to_change(
    spanloom: Run, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_LIMITS", QueryLimits(rows_read=1))
    done = spanloom("models", *EVER, "--project", chat)
    assert (done.out, done.code) == ("", 1)
    assert done.problem == (
        "To sum up models would read more than 1 rows: look less far back with --since, or name a --project\n"
    )


def test_clickhouse_away_says_what_to_do(spanloom: Run, unused_url: str) -> None:
    done = spanloom("sessions", url=unused_url)
    assert (done.out, done.code) == ("", 1)
    assert done.problem == (
        f"ClickHouse at {unused_url} is out of reach: ConnectionRefusedError:"
        " start it, or set SPANLOOM_CLICKHOUSE__URL\n"
    )
