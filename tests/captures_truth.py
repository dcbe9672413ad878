"""The recordings of real SDKs and what is true of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).parent / "captures"


@dataclass(frozen=True)
class Capture:
    """One recording: its OTLP messages and its truth (see captures/README.md)."""

    name: str
    messages: list[bytes]
    truth: dict[str, Any]


def captures() -> list[Capture]:
    """Return all recordings."""
    return [
        Capture(
            folder.name,
            [file.read_bytes() for file in sorted(folder.glob("*.pb"))],
            json.loads((folder / "truth.json").read_text()),
        )
        for folder in sorted(CAPTURES.iterdir())
        if folder.is_dir()
    ]
