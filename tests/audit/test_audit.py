"""What `make audit` makes of the registries' answers; that it asks at all is seen when it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from tests.audit.__main__ import PINS, told
from tests.audit.findings import Findings, of_npm_audit, of_pip_audit
from tests.audit.floors import floors
from tests.environments import ROOT

# As pip-audit 2.10 prints it: a hole, nothing known, and a registry that has no advisories.
PIP_AUDIT = {
    "dependencies": [
        {
            "name": "click",
            "version": "8.3.2",
            "vulns": [
                {"id": "PYSEC-2026-2132", "fix_versions": ["8.3.3"], "aliases": [], "description": "…"},
                {"id": "PYSEC-2026-9999", "fix_versions": [], "aliases": [], "description": "…"},
            ],
        },
        {"name": "yarl", "version": "1.25.1", "vulns": []},
        {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited: six (1.17.0)"},
    ],
    "fixes": [],
}

# As npm 11 prints it; `a` is named for what it needs.
NPM_AUDIT = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "a": {"name": "a", "range": "*", "via": ["b"]},
        "b": {
            "name": "b",
            "range": "<1.2.3",
            "via": [{"source": 1, "title": "It falls over", "severity": "low"}],
        },
    },
    "metadata": {"dependencies": {"total": 7}},
}


def test_holes_are_named_with_what_mends_them() -> None:
    found = of_pip_audit(json.dumps(PIP_AUDIT))
    assert (found.known, found.unknown) == (2, 1)
    assert found.holes == [
        "click 8.3.2: PYSEC-2026-2132, mended in 8.3.3",
        "click 8.3.2: PYSEC-2026-9999, mended in no version yet",
    ]
    assert of_npm_audit(json.dumps(NPM_AUDIT)) == Findings(known=7, holes=["b <1.2.3: It falls over"])


@pytest.mark.parametrize("output", ["", "ERROR:pip_audit._cli:no answer", "{"])
def test_no_answer_is_no_all_clear(output: str) -> None:
    for read in (of_pip_audit, of_npm_audit):
        with pytest.raises(ValueError, match=r"."):
            read(output)


def test_a_registry_that_does_not_know_is_named() -> None:
    with pytest.raises(ValueError, match="405 Method Not Allowed"):
        of_npm_audit(json.dumps({"message": "405 Method Not Allowed", "method": "POST"}))
    nothing: dict[str, Any] = {"dependencies": [PIP_AUDIT["dependencies"][2]]}
    assert told("pins", of_pip_audit(json.dumps(nothing))) == (
        "pins: not checked: the registry in reach has no advisories on any of its 1 packages"
    )
    assert told("pins", of_pip_audit(json.dumps(PIP_AUDIT))) == (
        "pins: 2 known holes in 2 packages, 1 could not be looked up"
    )


def test_every_direct_dependency_has_a_floor_that_the_pins_keep() -> None:
    pinned: dict[str, list[Version]] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        name, _, version = line.partition(" ;")[0].partition("==")
        pinned.setdefault(name.lower(), []).append(Version(version.strip()))
    lowest = floors((ROOT / "pyproject.toml").read_text())
    assert len(lowest) > 40
    for floor in lowest:
        name, _, version = floor.partition("==")
        assert max(pinned[name.lower().replace(".", "-")]) >= Version(version), name


# Advisories of 2025 and 2026 with the version that mends each, as projects that met them in their own audits report;
# and what a test here found.
MENDED = {
    "aiohttp": "3.14.3",  # CVE-2026-59881, CVE-2026-69243, CVE-2026-69244, and those before
    "click": "8.3.3",  # PYSEC-2026-2132
    "grpcio": "1.84",  # tests/integration/receiver/test_grpc.py: the bomb; seen with 1.82 and 1.83
    "h11": "0.16.0",  # CVE-2025-43859
    "idna": "3.15",  # GHSA-65pc-fj4g-8rjx
    "jinja2": "3.1.6",  # CVE-2025-27516
    "protobuf": "6.33.5",  # CVE-2026-0994
    "pyarrow": "23.0.1",  # CVE-2026-25087
    "pydantic-settings": "2.14.2",  # GHSA-4xgf-cpjx-pc3j
    "pygments": "2.20.0",  # CVE-2026-4539
    "pytest": "9.0.3",  # CVE-2025-71176
    "python-dotenv": "1.2.2",  # CVE-2026-28684
    "setuptools": "78.1.1",  # CVE-2025-47273
    "starlette": "1.3.1",  # CVE-2026-54283, CVE-2026-54282, PYSEC-2026-161, and those before
    "urllib3": "2.7.0",  # CVE-2026-44431, CVE-2026-44432, and those before
}


@pytest.mark.parametrize("name", sorted(MENDED))
def test_no_floor_has_a_hole_that_is_known_here(name: str) -> None:
    found = dict(floor.split("==") for floor in floors((ROOT / "pyproject.toml").read_text()))
    assert Version(found[name]) >= Version(MENDED[name])


def test_a_dependency_without_a_floor_is_refused() -> None:
    with pytest.raises(ValueError, match="urllib3 has no floor"):
        floors(
            '[build-system]\nrequires = []\n[project]\nname = "x"\ndependencies = ["urllib3"]\n'
            "[project.optional-dependencies]\n"
        )


def test_all_pins_are_asked_about() -> None:
    pins = set(ROOT.glob("*constraints*.txt"))
    pins |= set((ROOT / "tests").glob("*/constraints.txt")) - {Path(__file__).with_name("constraints.txt")}
    pins |= set((ROOT / "benchmarks").glob("*/constraints.txt"))
    assert set(PINS) - {ROOT / "deploy" / "image" / "build-requirements.txt"} == pins
