#!/bin/sh
# Set up a virtual environment with spanloom in it. Usage: install.sh FOLDER EXTRAS CONSTRAINTS
# The interpreter is $PYTHON. Every problem ends in one sentence that says what to do.
set -eu
python=${PYTHON:-python3}

fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    fail "There is no $python: install Python 3.11, 3.12, 3.13 or 3.14, or name one with PYTHON=/path/to/python make ..."
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' ||
    fail "$("$python" --version) does not fit: spanloom needs 3.11 to 3.14; name one with PYTHON=python3.12 make ..."
exec "$python" "$(dirname "$0")/set_up.py" "$@"
