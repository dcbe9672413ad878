"""The health check of a worker's container, while it has what it needs and while it has not."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.integration.installation import Installation


def test_a_worker_is_asked_on_its_own_port(installation: Installation) -> None:
    worker = installation.worker()
    settings = {"SPANLOOM_WORKER__WEB_PORT": str(worker.port)}
    # Of other parts, as one environment for all would have them; nothing answers there.
    others = {"SPANLOOM_RECEIVER__WEB_PORT": "1", "SPANLOOM_DASHBOARD__WEB_PORT": "1"}

    def health(*arguments: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", "spanloom.health", *arguments, "--under", str(worker.pid)],
            env={**os.environ, **others, **settings},
            timeout=60,
            check=False,
        ).returncode

    assert (health(), health("ready")) == (0, 0)
    worker.stop()
    assert health() == 1
