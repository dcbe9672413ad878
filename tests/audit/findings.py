"""What the auditing tools of the registries say of pins, read from their JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass
class Findings:
    """Of some pins: how many were looked up, how many nothing is known of, and a line for each known hole."""

    known: int = 0
    unknown: int = 0
    holes: list[str] = field(default_factory=list)


def of_pip_audit(output: str) -> Findings:
    """Read what `pip-audit --format json` prints. Of packages that it could not look up it gives a reason.

    Raises:
        ValueError: that is none: it could not ask.
    """
    found = Findings()
    for package in json.loads(output)["dependencies"]:
        if "skip_reason" in package:
            found.unknown += 1
            continue
        found.known += 1
        for hole in package["vulns"]:
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            found.holes.append(f"{package['name']} {package['version']}: {hole['id']}, mended in {mended}")
    return found


def of_npm_audit(output: str) -> Findings:
    """Read what `npm audit --json` prints (auditReportVersion 2).

    Raises:
        ValueError: that is none: the registry does not answer what is asked.
    """
    report = json.loads(output)
    if report.get("auditReportVersion") != 2:
        raise ValueError(report.get("message", "no report"))
    # A package is named for what it needs, too; the holes themselves are objects.
    holes = [
        f"{name} {package['range']}: {hole['title']}"
        for name, package in report["vulnerabilities"].items()
        for hole in package["via"]
        if isinstance(hole, dict)
    ]
    return Findings(known=report["metadata"]["dependencies"]["total"], holes=holes)
