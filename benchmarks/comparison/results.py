"""What a comparison found, as values, and as JSON. Only the standard library: the plot is drawn by another Python."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

SPANLOOM = "spanloom"
"""The contestant that the others are compared with."""


@dataclass(frozen=True)
class Cost:
    """CPU time, user and system, of all threads: µs a span."""

    worker: float
    database: float
    broker: float
    looking: float = 0.0
    """Of the database's: what the queries took that look whether the work is done, four a second; an estimate."""

    @property
    def sum(self) -> float:
        """Of worker, database and broker."""
        return self.worker + self.database + self.broker


@dataclass(frozen=True)
class Run:
    """One run that came to its end."""

    case: str
    contestant: str
    round: int
    spans: int
    cost: Cost
    wall: float
    """Seconds, from ready until every span is shown."""
    peak_rss: int
    """The most memory that the worker held at once, bytes."""
    wrong: int = 0
    """How many sessions, or sums, differ from the truth."""


@dataclass(frozen=True)
class Failure:
    """One run that did not."""

    case: str
    contestant: str
    round: int
    sentence: str


@dataclass(frozen=True)
class ParseLimit:
    """What parsing alone takes, nothing else done: µs of CPU a span."""

    case: str
    ptars: float
    """To Arrow, as spanloom does."""
    official: float
    """To the objects of opentelemetry-proto."""


@dataclass(frozen=True)
class Machine:
    """Where and with what a comparison ran."""

    date: str
    commit: str
    cpu: str
    cores: int
    memory: int
    """Bytes."""
    busy: float
    """Processes that wanted a core in the minute before, on average; near 0 on a quiet machine."""
    python: str
    versions: dict[str, str]
    """Of packages, and of what they bring."""


@dataclass(frozen=True)
class Described:
    """A case in words, in the order in which cases are shown."""

    name: str
    words: str


@dataclass(frozen=True)
class Results:
    """A whole comparison."""

    machine: Machine
    cases: tuple[Described, ...]
    runs: tuple[Run, ...]
    failures: tuple[Failure, ...]
    parse_limits: tuple[ParseLimit, ...] = ()

    def contestants(self, case: str) -> list[str]:
        """Who ran a case, in the order of the first round; those that failed in it last."""
        came: list[Run | Failure] = [*self.runs, *self.failures]
        ran = sorted((one for one in came if one.case == case), key=lambda one: one.round)
        return list(dict.fromkeys(one.contestant for one in ran))


def to_json(results: Results) -> str:
    """Return results as JSON for people and programs."""
    return json.dumps(asdict(results), indent=2, ensure_ascii=False) + "\n"


def from_json(text: str) -> Results:
    """Read what `to_json` has written. Raises `KeyError` and `TypeError` for anything else."""
    found = json.loads(text)
    return Results(
        machine=Machine(**found["machine"]),
        cases=tuple(Described(**one) for one in found["cases"]),
        runs=tuple(Run(**{**one, "cost": Cost(**one["cost"])}) for one in found["runs"]),
        failures=tuple(Failure(**one) for one in found["failures"]),
        parse_limits=tuple(ParseLimit(**one) for one in found["parse_limits"]),
    )
