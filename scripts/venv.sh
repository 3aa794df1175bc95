#!/usr/bin/env bash
# Makes the virtual environment and installs one lock file and this package into it.
# usage: venv.sh PYTHON VENV LOCKFILE
set -euo pipefail
python=$1 venv=$2 lock=$3

if [ ! -x "$venv/bin/pip" ]; then
    echo "Setting up $venv ..."
    if ! "$python" -m venv "$venv" 2>/dev/null; then
        # A bare Debian ships python3 without ensurepip.
        rm -rf "$venv"
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
            "$python" -m venv "$venv"
        else
            echo "This Python cannot make virtual environments; install the package python3-venv and try again." >&2
            exit 1
        fi
    fi
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
