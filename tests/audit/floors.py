"""The oldest versions that pyproject.toml admits."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement


def floors(pyproject: str) -> list[str]:
    """Return a pin on the floor of each direct dependency, extras and the build's included, as requirements.

    Raises:
        ValueError: a dependency has no floor.
    """
    document = tomllib.loads(pyproject)
    project = document["project"]
    lists = (
        document["build-system"]["requires"],
        project["dependencies"],
        *project["optional-dependencies"].values(),
    )
    found = []
    for requirement in (Requirement(text) for one in lists for text in one):
        if requirement.name == project["name"]:
            continue
        lowest = re.search(r">=([\w.]+)", str(requirement.specifier))
        if lowest is None:
            raise ValueError(f"{requirement} has no floor: give it one, >=")
        found.append(f"{requirement.name}=={lowest[1]}")
    return found
