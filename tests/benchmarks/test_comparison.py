"""A comparison: who runs when, what many runs come to, and what is shown of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.comparison.cases import CASES, CONTESTANTS, Case, chosen
from benchmarks.comparison.figures import figures, ratio
from benchmarks.comparison.results import Cost, Failure, from_json, to_json
from benchmarks.comparison.rounds import Turn, compare, turns
from benchmarks.comparison.table import table
from benchmarks.load.kinds import KINDS
from benchmarks.load.work import Work
from benchmarks.parts import BenchmarkError
from benchmarks.rivals import environments
from benchmarks.throughput import Measured
from tests.benchmarks.comparing import MACHINE, results, run


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_case_names_a_kind_of_load_and_contestants_that_exist(case: Case) -> None:
    assert case.kind in KINDS
    assert set(case.contestants) <= set(CONTESTANTS)
    assert case.contestants[0] == "spanloom"
    assert case.spans >= KINDS[case.kind].spans


def test_every_kind_of_load_is_measured_and_every_contestant_takes_part() -> None:
    assert {case.kind for case in CASES.values()} == set(KINDS)
    assert {one for case in CASES.values() for one in case.contestants} == set(CONTESTANTS)
    assert {case.compression for case in CASES.values()} == {"none", "lz4"}
    assert {case.cold for case in CASES.values()} == {False, True}
    assert {1, 10, 500} <= {case.per_message for case in CASES.values()}


def test_the_faust_app_gets_fewer_of_the_same_spans() -> None:
    own, faust = (CASES["chat"].work(name, seed=3, twice=10) for name in ("spanloom", "faust"))
    assert faust == replace(own, spans=own.spans // 4)
    assert (own.seed, own.twice) == (3, 10)


def test_every_so_many_th_message_can_come_twice() -> None:
    work = Work(50, per_message=10, twice=2)
    once, twice = (list(one.values(one.load())) for one in (replace(work, twice=0), work))
    assert (len(once), len(twice)) == (5, 7)
    again = [value == before for before, value in pairwise(twice)]
    assert again == [False, True, False, False, True, False]


def test_cases_and_contestants_can_be_chosen() -> None:
    (only,) = chosen(["chat"], ["quix-sets", "spanloom"], spans=50)
    assert (only.name, only.spans, only.contestants) == ("chat", 50, ("spanloom", "quix-sets"))
    assert [case.name for case in chosen(None, ["faust"])] == ["chat"]
    assert len(chosen(None, None)) == len(CASES)


def test_nobody_always_goes_first() -> None:
    case = Case("chat", 10, contestants=("a", "b", "c"))
    order = [(turn.round, turn.contestant) for turn in turns([case], 4)]
    assert order == [
        *((1, name) for name in "abc"),
        *((2, name) for name in "bca"),
        *((3, name) for name in "cab"),
        *((4, name) for name in "abc"),
    ]


def test_a_round_has_every_case_before_the_next_one_begins() -> None:
    cases = [Case("first", 10, contestants=("a",)), Case("second", 10, contestants=("a",))]
    order = [(turn.round, turn.case.name) for turn in turns(cases, 2)]
    assert order == [(1, "first"), (1, "second"), (2, "first"), (2, "second")]


def measured(wrong: tuple[str, ...] = ()) -> Measured:
    return Measured("any", 1000, 2.0, 0.1, 0.5, 0.08, 0.02, 0.01, 300_000_000, wrong)


def test_costs_are_microseconds_a_span() -> None:
    case = Case("chat", 1000, contestants=("spanloom",))
    (found,) = compare([case], 1, MACHINE, lambda _: measured(), lambda _: None).runs
    assert (found.cost.worker, found.cost.database, found.cost.broker) == pytest.approx((100, 80, 10))
    assert found.cost.looking == pytest.approx(20)
    assert found.cost.sum == pytest.approx(190), "looking is a part of the database's"


def test_a_line_is_said_for_each_run() -> None:
    said: list[str] = []
    case = Case("chat", 1000, contestants=("spanloom", "quix-sets"))
    compare([case], 2, MACHINE, lambda _: measured(), said.append)
    assert len(said) == 4
    assert said[0].startswith("[1 of 4, ")


def test_spanloom_that_is_not_exact_fails_the_whole() -> None:
    case = Case("chat", 1000, contestants=("quix-sets", "spanloom"))

    def run_one(turn: Turn) -> Measured:
        return measured(("session s: 1, not 2",) if turn.contestant == "spanloom" else ())

    with pytest.raises(BenchmarkError, match=r"not exact in chat, round 1 \(differences: 1\): session s"):
        compare([case], 1, MACHINE, run_one, lambda _: None)


def test_spanloom_that_does_not_finish_fails_the_whole() -> None:
    def run_one(_: Turn) -> Measured:
        raise BenchmarkError("worker ended with 1")

    with pytest.raises(BenchmarkError, match="did not finish chat, round 1: worker ended"):
        compare([Case("chat", 1, contestants=("spanloom",))], 1, MACHINE, run_one, lambda _: None)


def test_a_rival_that_fails_or_is_wrong_is_shown_as_such() -> None:
    case = Case("chat", 1000, contestants=("spanloom", "quix-sets", "quix-sums"))

    def run_one(turn: Turn) -> Measured:
        if turn.contestant == "quix-sets":
            raise BenchmarkError("it ended")
        return measured(("one", "another") if turn.contestant == "quix-sums" else ())

    found = compare([case], 1, MACHINE, run_one, lambda _: None)
    assert [run.wrong for run in found.runs] == [0, 2]
    assert found.failures == (Failure("chat", "quix-sets", 1, "it ended"),)
    lines = {line.split()[0]: line for line in table(found).splitlines() if line.strip()}
    assert lines["spanloom"].endswith("yes")
    assert lines["quix-sums"].endswith("2 wrong")
    assert lines["quix-sets"].endswith("failed")
    assert "failed in round 1: it ended" in table(found)


def test_figures_are_medians_of_the_rounds() -> None:
    found = figures(
        results([run("spanloom", 1, 90), run("spanloom", 2, 300), run("spanloom", 3, 100, wrong=2)]),
        "chat",
        "spanloom",
    )
    assert found is not None
    assert found.cost == Cost(worker=100, database=100, broker=10, looking=5)
    assert found.peak_rss == 100_000_000, "of runs with 90, 300 and 100 MB"
    assert found.spread == pytest.approx((410 - 200) / 210)
    assert found.wrong == 2
    assert figures(results([]), "chat", "spanloom") is None


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine is three times as slow in the second round, and the rival has no third one.
    found = results(
        [
            run("spanloom", 1, 100),
            run("quix-sets", 1, 50),
            run("spanloom", 2, 300),
            run("quix-sets", 2, 150),
            run("spanloom", 3, 900),
        ]
    )
    assert ratio(found, "chat", "worker", "quix-sets", "spanloom") == 0.5
    assert ratio(found, "chat", "sum", "quix-sets", "spanloom") == pytest.approx((160 / 210 + 260 / 410) / 2)
    assert ratio(found, "chat", "worker", "faust", "spanloom") is None


def test_the_table_shows_what_a_contestant_takes_and_how_many_times_spanloom_s_that_is() -> None:
    shown = table(results([run("spanloom", 1, 100), run("quix-sets", 1, 50, database=40)]))
    lines = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line.strip()}
    assert lines["spanloom"] == [
        "100.0",
        "100.0",
        "5.0",
        "10.0",
        "210.0",
        "1.00",
        "1.00",
        "0",
        "%",
        "100",
        "yes",
    ]
    assert lines["quix-sets"] == [
        "50.0",
        "40.0",
        "5.0",
        "10.0",
        "100.0",
        "0.50",
        "0.48",
        "0",
        "%",
        "50",
        "yes",
    ]
    assert "parsing alone: 4.2 with ptars, 2.9 with opentelemetry-proto" in shown
    assert "a processor, 2 cores" in shown


def test_the_table_does_without_spanloom() -> None:
    line = next(line for line in table(results([run("quix-sets", 1, 50)])).splitlines() if "quix" in line)
    assert line.split()[6:8] == ["–", "–"]


def test_json_gives_back_what_it_was_made_of() -> None:
    made = results(
        [run("spanloom", 1, 100.5), run("faust", 1, 900, wrong=3)], [Failure("chat", "faust", 2, "ended")]
    )
    assert from_json(to_json(made)) == made


def test_what_draws_the_plot_is_pinned_with_the_rivals() -> None:
    pins = Path(environments.HERE / "constraints.txt").read_text()
    assert "\npygal==" in pins
