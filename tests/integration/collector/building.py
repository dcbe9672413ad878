"""An OpenTelemetry Collector, built from Go modules: `python -m tests.integration.collector.building`.

The Collector's own builder makes it as builder.yaml says; half a minute of work for an idle machine, the first time a
minute or two. The binary stays in `.collector/` at the project's root until builder.yaml changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.environments import ROOT, SetUpError, run, say

MANIFEST = Path(__file__).with_name("builder.yaml")
CACHE = ROOT / ".collector"

_BUILDER = "go.opentelemetry.io/collector/cmd/builder"


def without_go() -> str | None:
    """Return why no Collector can be built here, None if one can."""
    return None if shutil.which("go") else "there is no go here to build an OpenTelemetry Collector with"


def version() -> str:
    """Return the Collector's version that builder.yaml pins, for example `0.165.0`."""
    return str(_distribution()["version"])


def collector() -> Path:
    """Return the binary, which is built if it is not there yet; of several test runs one builds, the others wait.

    Raises:
        SetUpError: the builder failed; what it printed is on standard error.
    """
    digest = hashlib.sha256(MANIFEST.read_bytes()).hexdigest()[:8]
    binary = CACHE / f"otelcol-{version()}-{digest}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _build(binary)
    return binary


def _build(binary: Path) -> None:
    say(f"building an OpenTelemetry Collector {version()} (the first time this takes a minute or two)")
    distribution = _distribution()
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        run(["go", "run", f"{_BUILDER}@v{version()}", "--config", str(MANIFEST)], cwd=Path(folder))
        built = Path(folder, distribution["output_path"], distribution["name"])
        # In its place whole or not at all.
        built.rename(binary)


def _distribution() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())["dist"]
    return found


def main() -> None:
    """Build it, if that can be done here."""
    if reason := without_go():
        say(f"{reason}: its tests are skipped")
        return
    try:
        collector()
    except SetUpError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
