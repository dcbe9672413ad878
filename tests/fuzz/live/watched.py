"""What is seen of a running stack from outside: its memory and its logs."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.running_stack import Up

_TIME = re.compile(r"^[\d: ,-]+")
_RAISED = re.compile(r"[\w.]+(Error|Exception|Interrupt|Message)\b")


def memory(data: Path) -> dict[str, int]:
    """The bytes that each part of a stack has in memory."""
    sizes = {}
    for file in (data / "run").glob("*.pid"):
        status = Path(f"/proc/{file.read_text().strip()}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        sizes[file.stem] = int(found[1]) << 10 if found else 0
    return sizes


def complaints(up: Up) -> Counter[str]:
    """Errors in the logs, and parts that died: how often each, without its time."""
    found: Counter[str] = Counter()
    for file in sorted((up.data / "log").glob("*.log")):
        lines = file.read_text(errors="replace").splitlines()
        for line, following in pairwise([*lines, ""]):
            if "Traceback" in line or re.search(r"\b(ERROR|CRITICAL)\b", line):
                found[f"{file.name}: {_TIME.sub('', line)[:200]}"] += 1
            elif (
                line.startswith(" ") and following and following[0] not in " \t" and _RAISED.match(following)
            ):
                found[f"{file.name}: {following.partition(':')[0]} raised"] += 1
    for line in up.log.splitlines():
        if "again" in line:
            found[f"spanloom up: {line[:200]}"] += 1
    return found
