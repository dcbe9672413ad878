"""Serve until interrupted: `python -m tests.recordings.llm_server --port 8600 --log calls.jsonl`."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from tests.recordings import llm_server

parser = argparse.ArgumentParser(
    description=llm_server.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--port", type=int, default=8600)
parser.add_argument("--log", type=Path, required=True)
options = parser.parse_args()
llm_server.serve(options.log, options.port)
threading.Event().wait()
