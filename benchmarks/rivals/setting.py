"""What surrounds each rival, all seen alike: topics, tables, how it is started, what it shows, whether it is right."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.load.encode import event, messages
from benchmarks.load.load import Totals, Truth
from benchmarks.load.turns import LoadSpan
from benchmarks.load.work import Compression, Encode
from benchmarks.parts import Process, Stack
from benchmarks.produce import PARTITIONS
from benchmarks.rivals import environments
from benchmarks.rivals.tables import adding_tables, folded_tables
from tests.environments import ROOT

_COLUMNS = [name for name in Totals.__dataclass_fields__ if name != "cost"]
_WEEK = 7 * 24 * 3600 * 1000  # ms
_INTERNAL = {"retention.ms": str(_WEEK), "cleanup.policy": "delete"}
_CHANGELOG = {"retention.ms": str(_WEEK), "cleanup.policy": "compact"}
_FAUST_TOPICS = (
    "baseline-spans",
    "baseline-facts",
    "baseline-turns",
    # Faust would ask for its changelogs with settings that the local broker refuses.
    "baseline-baseline-traces-changelog",
    "baseline-baseline-sessions-changelog",
)


@dataclass(frozen=True)
class Rival:
    """One program to be measured."""

    name: str
    module: str
    """Which `python -m` runs."""
    database: str
    sessions: str
    """What a query reads its sessions from: a row each, named by `key`."""
    tables: Callable[[str], list[str]]
    """The statements that create its database and tables."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What it needs besides what every rival gets."""
    reads: str = "otlp_spans"
    """The topic that the load is appended to."""
    topics: dict[str, dict[str, str]] = field(default_factory=dict)
    """Others that it needs, and their settings."""
    encode: Encode = messages
    """Makes the values of that topic."""
    python: Callable[[], Path] = environments.python
    """The interpreter that has its packages; set up if need be."""

    def set_up(self, stack: Stack) -> None:
        """Create its tables, and the topics that it needs besides spanloom's."""
        for statement in self.tables(self.database):
            stack.query(statement)
        asyncio.run(_create_topics(stack.bootstrap_servers, self.topics))

    def start(self, stack: Stack, compression: Compression) -> Process:
        """Start it; it packs its inserts as told, and makes a file when its partitions are assigned."""
        environment = {
            "PYTHONPATH": str(ROOT),
            "RIVAL_BROKER": stack.bootstrap_servers,
            "RIVAL_CLICKHOUSE": stack.url,
            "RIVAL_DATABASE": self.database,
            "RIVAL_DATA": str(stack.folder / self.database),
            "RIVAL_READY": str(self._ready(stack)),
            "RIVAL_COMPRESSION": compression,
            **self.environment,
        }
        return Process(self.name, (str(self.python()), "-m", self.module), stack.folder, environment)

    def is_ready(self, stack: Stack) -> bool:
        """Whether its partitions have been assigned."""
        return self._ready(stack).exists()

    def spans_in_sessions(self, stack: Stack) -> int:
        """How many spans its sessions show so far."""
        return int(stack.query(f"SELECT sum(spans) AS spans FROM {self.sessions}")[0]["spans"])

    def differences(self, stack: Stack, truth: Truth) -> Iterator[str]:
        """A sentence for each session that differs from the truth; costs, which are floats there, left out."""
        rows = stack.query(f"SELECT key, {', '.join(_COLUMNS)} FROM {self.sessions}")
        found = {row["key"]: tuple(int(row[name]) for name in _COLUMNS) for row in rows}
        expected = {
            session_id: tuple(getattr(totals, name) for name in _COLUMNS)
            for session_id, totals in truth.sessions.items()
        }
        for session_id in sorted(found.keys() | expected.keys()):
            if found.get(session_id) != expected.get(session_id):
                yield (
                    f"{self.name}, session {session_id}: {found.get(session_id)}, not {expected.get(session_id)}"
                )

    def _ready(self, stack: Stack) -> Path:
        return stack.folder / f"{self.name}.ready"


async def _create_topics(bootstrap_servers: str, topics: dict[str, dict[str, str]]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(name, PARTITIONS, 1, topic_configs=settings) for name, settings in topics.items()]
        )
    finally:
        await admin.close()


def _quix(mode: str) -> Rival:
    """Its changelogs are made beforehand, as the local broker does not know all that Quix asks for."""
    database = f"quix_{mode}"
    return Rival(
        name=f"quix-{mode}",
        module="benchmarks.rivals.quix_app",
        database=database,
        sessions=f"{database}.sessions FINAL",
        tables=folded_tables,
        environment={"RIVAL_MODE": mode, "RIVAL_IDEMPOTENT": "false"},
        topics={
            "quix-facts": _INTERNAL,
            "quix-turns": _INTERNAL,
            "changelog__quix--quix-facts--default": _CHANGELOG,
            "changelog__quix--quix-turns--default": _CHANGELOG,
        },
    )


def _events(spans: Iterable[LoadSpan], _: int) -> Iterator[bytes]:
    return map(event, spans)


RIVALS = {
    rival.name: rival
    for rival in (
        _quix("sets"),
        _quix("sums"),
        Rival(
            name="clickhouse-alone",
            module="benchmarks.rivals.clickhouse_alone",
            database="alone",
            sessions="alone.sessions",
            tables=adding_tables,
        ),
        Rival(
            name="faust",
            module="benchmarks.baseline.faust_app",
            database="baseline",
            sessions="baseline.sessions FINAL",
            tables=folded_tables,
            reads="baseline-spans",
            topics={name: {} for name in _FAUST_TOPICS},
            encode=_events,
            python=lambda: Path(sys.executable),
        ),
    )
}
"""By name."""
