"""One target under Atheris: `python -m tests.fuzz.harness TARGET [options of libFuzzer] [folders or files]`.

With a file it runs just this input: that is how a finding is looked at.
"""

from __future__ import annotations

import sys

import atheris

_CODE = "spanloom.spans"

with atheris.instrument_imports(include=[_CODE]):
    from tests.fuzz.targets import TARGETS

if _CODE not in sys.modules:
    sys.exit(f"{_CODE} has another name now: without instrumentation nothing leads the fuzzer")


def main() -> None:
    """Fuzz until a finding, or until the options say that it is enough."""
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
