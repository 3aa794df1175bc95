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
pip=("$venv/bin/python" -m pip --disable-pip-version-check)
bash scripts/install_lock.sh "$venv/bin/python" "$lock" --quiet
"${pip[@]}" install --quiet --no-deps --no-build-isolation --editable .
"${pip[@]}" check >/dev/null || { "${pip[@]}" check >&2; echo "$lock is incomplete: make lock" >&2; exit 1; }
