"""Ports are claimed: of those who choose at the same moment, no two choose the same."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from spanloom.local import ports
from spanloom.local.ports import Ports, free_port

# Chooses when it gets a line, says what, and holds it until it gets another.
_CHOOSER = """
import sys
from spanloom.local.ports import Ports
ports = Ports()
print("here", flush=True)
sys.stdin.readline()
print(*(ports.choose(int(preferred)) for preferred in sys.argv[1:]), flush=True)
sys.stdin.readline()
"""


def test_processes_that_choose_at_the_same_moment_choose_different_ports() -> None:
    preferred = [str(free_port()) for _ in range(3)]
    choosers = [
        subprocess.Popen(
            [sys.executable, "-c", _CHOOSER, *preferred],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    pipes = [(each.stdin, each.stdout) for each in choosers if each.stdin and each.stdout]
    assert [out.readline() for _, out in pipes] == ["here\n"] * len(choosers)
    for into, _ in pipes:
        into.write("choose\n")
        into.flush()
    chosen = [port for _, out in pipes for port in out.readline().split()]
    for chooser in choosers:
        chooser.communicate("end\n")
    assert len(set(chosen)) == len(chosen) == len(choosers) * len(preferred)
    assert set(preferred) < set(chosen)


def test_a_claim_leaves_the_port_to_the_part_that_listens_there() -> None:
    ports = Ports()
    port = ports.choose(free_port())
    with socket.create_server(("127.0.0.1", port)):
        assert not Ports().claim(port)
    ports.release()


def test_a_port_that_is_listened_on_can_not_be_claimed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not Ports().claim(port)
    ports = Ports()
    assert ports.claim(port)
    ports.release()


def test_what_is_released_or_whose_process_was_killed_can_be_claimed_again() -> None:
    first, second = Ports(), Ports()
    port = first.choose(free_port())
    assert not second.claim(port)
    first.release()
    assert second.claim(port)
    second.release()
    with subprocess.Popen(
        [sys.executable, "-c", _CHOOSER, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as chooser:
        assert chooser.stdin is not None
        assert chooser.stdout is not None
        chooser.stdin.write("choose\n")
        chooser.stdin.flush()
        assert chooser.stdout.readline() == "here\n"
        assert chooser.stdout.readline() == f"{port}\n"
        assert not first.claim(port)
        chooser.kill()
    assert first.claim(port)
    first.release()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says there which ports it gives away itself")
def test_free_ports_are_none_that_a_connection_of_a_client_is_given() -> None:
    """A client's connection takes one of the kernel's own range, perhaps before the server starts that it is for."""
    first, *_ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    if int(first) < 32_768:
        pytest.skip("this kernel was told to give away other ports than it does by itself")
    chosen = [free_port() for _ in range(200)]
    assert max(chosen) < int(first)
    assert len(set(chosen)) == len(chosen)


def test_a_port_that_is_listened_on_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = free_port()
    monkeypatch.setattr(ports, "_RANGE", range(taken, taken + 1))
    assert free_port() == taken
    with socket.socket() as server:
        server.bind(("127.0.0.1", taken))
        server.listen()
        with pytest.raises(OSError, match=f"from {taken} to {taken} is free"):
            free_port()
