"""What `make bench-check` calls a loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.comparison import check
from benchmarks.comparison.check import CASES, COMMITTED, CONTESTANTS
from benchmarks.comparison.losses import (
    Change,
    Ratio,
    RatiosError,
    changes,
    from_json,
    ratios,
    to_json,
    verdict,
)
from benchmarks.comparison.results import SPANLOOM, Failure
from tests.benchmarks.comparing import results, run

WORKER = Ratio("chat", "worker", "quix-sets", 2.0)
DATABASE = Ratio("chat", "database", "quix-sets", 1.25)


def test_ratios_are_spanloom_s_time_by_the_rival_s() -> None:
    found = results([run("quix-sets", 1, 50, database=80), run("spanloom", 1, 100, database=100)])
    assert ratios(found) == [WORKER, DATABASE]


@pytest.mark.parametrize(
    ("now", "is_loss"), [(1.0, False), (2.0, False), (2.39, False), (2.41, True), (9.0, True)]
)
def test_more_than_a_fifth_more_is_a_loss(now: float, is_loss: bool) -> None:
    change = Change(Ratio("chat", "worker", "quix-sets", now), 2.0)
    assert change.is_loss is is_loss
    assert bool(verdict([change])) is is_loss


def test_the_verdict_names_each_loss_and_nothing_else() -> None:
    lost, kept = Change(Ratio("plain", "database", "quix-sets", 3.0), 2.0), Change(WORKER, 2.0)
    sentence = verdict([lost, kept, lost])
    assert sentence.startswith("spanloom lost more than a fifth in 2 ratios: ")
    assert "plain, database beside quix-sets: 3.00, was 2.00" in sentence
    assert "chat" not in sentence
    assert verdict([kept]) == ""


def test_a_ratio_is_compared_with_the_committed_one_of_the_same_things() -> None:
    committed = [
        Ratio("plain", "worker", "quix-sets", 9.0),
        DATABASE,
        Ratio("chat", "worker", "quix-sets", 1.5),
    ]
    assert list(changes([WORKER, DATABASE], committed)) == [Change(WORKER, 1.5), Change(DATABASE, 1.25)]


def test_a_ratio_that_was_never_committed_is_an_error() -> None:
    with pytest.raises(RatiosError, match="no ratio is committed of chat, worker beside quix-sets"):
        list(changes([WORKER], [DATABASE]))


def test_a_rival_that_is_wrong_or_failed_gives_no_ratio() -> None:
    own = run("spanloom", 1, 100)
    with pytest.raises(RatiosError, match="quix-sets was wrong in chat"):
        ratios(results([own, run("quix-sets", 1, 50, wrong=1)]))
    with pytest.raises(RatiosError, match="quix-sets failed in chat"):
        ratios(results([own], [Failure("chat", "quix-sets", 1, "it ended")]))


def test_a_rival_too_cheap_to_be_measured_gives_no_ratio() -> None:
    with pytest.raises(RatiosError, match="too short"):
        ratios(results([run("spanloom", 1, 100), run("quix-sets", 1, 0)]))


def test_what_is_committed_is_read_again() -> None:
    assert from_json(to_json(results([]), [WORKER, DATABASE])) == [WORKER, DATABASE]


def test_what_is_committed_is_what_the_check_measures() -> None:
    found = {(one.case, one.part, one.rival) for one in from_json(COMMITTED.read_text())}
    rivals = [name for name in CONTESTANTS if name != SPANLOOM]
    assert found == {
        (case, part, rival) for case in CASES for part in ("worker", "database") for rival in rivals
    }


def checked(monkeypatch: pytest.MonkeyPatch, committed: Path, worker: float, *options: str) -> None:
    """Run the command where spanloom's worker takes so many µs, and `quix-sets` 50."""
    found = results([run("quix-sets", 1, 50, database=80), run("spanloom", 1, worker, database=100)])
    monkeypatch.setattr(check, "compare", lambda *_: found)
    monkeypatch.setattr(check, "COMMITTED", committed)
    monkeypatch.setattr("sys.argv", ["check", *options])
    check.main()


def test_the_check_passes_with_what_it_has_written_and_fails_on_a_loss(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    committed = tmp_path / "committed.json"
    checked(monkeypatch, committed, 100, "--write")
    checked(monkeypatch, committed, 110)
    shown = capsys.readouterr().out
    assert "chat, worker beside quix-sets" in shown
    assert "2.20, was   2.00" in shown
    assert "LOSS" not in shown
    with pytest.raises(SystemExit, match=r"in 1 ratios: chat, worker beside quix-sets: 2[.]50, was 2[.]00"):
        checked(monkeypatch, committed, 125)
    assert "LOSS" in capsys.readouterr().out
