"""Stored spans are read again, and forgotten, while workers are killed."""

from __future__ import annotations

import subprocess
import sys

from tests.chaos.fault import fault
from tests.chaos.rows import without
from tests.chaos.scene import Scene


def _command(scene: Scene, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "spanloom", *arguments],
        env=scene.installation.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _end(command: subprocess.Popen[str]) -> None:
    printed, _ = command.communicate(timeout=180)
    assert command.returncode == 0, printed


@fault("stored spans are replayed, twice, while a worker is killed")
def replayed(scene: Scene) -> None:
    for share in (0.4, 0.6):
        scene.sending.wait(share)
        replay = _command(scene, "replay", "--from", "1d", "--rate", "1000")
        scene.pause(2, 4)
        scene.kill(scene.any_worker())
        _end(replay)


@fault("sessions are forgotten while a worker is killed", quick=True)
def forgotten(scene: Scene) -> None:
    ask = scene.installation.sql
    with scene.lull():
        whole = {
            row["session_id"]
            for row in ask("SELECT session_id, hex(sipHash128(toString(tuple(*)))) AS hash FROM sessions")
            if scene.expected["sessions", row["session_id"], row["hash"]]
        }
        chosen = sorted(whole)[:5]
        assert len(chosen) == 5, f"only {len(chosen)} sessions are whole"
        named = ", ".join(f"'{session}'" for session in chosen)
        traces = {
            row["trace_id"] for row in ask(f"SELECT trace_id FROM traces WHERE session_id IN ({named})")
        }
    for number, session in enumerate(chosen):
        forget = _command(scene, "forget", "--project", "default", "--session", session)
        if number % 2 == 0:
            scene.pause(0.5, 3)
            scene.kill(scene.any_worker())
        _end(forget)
    scene.expected = without(scene.expected, traces, set(chosen))
