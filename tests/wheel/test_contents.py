"""What the wheel holds: one package, whole, whichever way it was built."""

from __future__ import annotations

import os
from configparser import ConfigParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.wheel.building import Built, checksum, contents

pytestmark = pytest.mark.wheel


def test_it_installs_one_package_and_what_pip_notes(built: Built) -> None:
    tops = {name.split("/")[0] for name in contents(built.wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"spanloom"}
    assert len(tops) == 2


def test_it_holds_every_file_of_the_package_but_scripts_for_developers(built: Built) -> None:
    files = {
        path.relative_to(built.source).as_posix(): checksum(path)
        for folder, _, names in os.walk(built.source / "spanloom", followlinks=True)
        for path in (Path(folder, name) for name in names)
        if path.suffix != ".sh"
    }
    held = {name: crc for name, crc in contents(built.wheel).items() if not name.startswith("spanloom-")}
    assert held == files
    for one_of_each in (
        "spanloom/agents/stages/ingest.py",
        "spanloom/schemas/facts.proto",
        "spanloom/schemas/facts_pb2.pyi",
        "spanloom/dashboard/templates/list.html",
    ):
        assert one_of_each in held


def test_built_of_the_source_distribution_it_is_the_same(built: Built) -> None:
    assert contents(built.wheel_of_sdist) == contents(built.wheel)


def test_it_brings_one_command(built: Built) -> None:
    with ZipFile(built.wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
        points = ConfigParser()
        points.read_string(archive.read(name).decode())
    assert {section: dict(points[section]) for section in points.sections()} == {
        "console_scripts": {"spanloom": "spanloom.commands.cli:main"}
    }
