#!/usr/bin/env bash
# Usage: make_venv.sh FOLDER REQUIREMENT
# Makes a virtual environment with the newest Python found (3.11 or later) and installs the
# checkout into it, editable. Everything pip needs to know it takes from its own configuration.
set -euo pipefail

venv=$1
requirement=$2
modern='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
    local name
    for name in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python3.14; do
        if command -v "$name" >/dev/null && "$name" -c "$modern" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "hotmem_viz needs Python 3.11 or newer; install it, or name it: make PYTHON=/path/to/python" >&2
    return 1
}

if ! { [[ -x $venv/bin/python ]] && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version)"
    rm -rf "$venv"
    if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
        rm -rf "$venv"
        version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
        echo "$python cannot make virtual environments: on Debian or Ubuntu, apt-get install python$version-venv" >&2
        exit 1
    fi
fi

echo "Installing $requirement (a minute or two the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$requirement"
