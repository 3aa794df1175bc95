#!/usr/bin/env bash
# Installs what a lock file lists and nothing else, whatever pip the environment has (23.0 or newer).
# usage: install_lock.sh PYTHON LOCKFILE [PIP-OPTION…]
#
# A lock file is complete, so pip need not look for dependencies, and must not: pip 23 takes the extra of a dependency
# (`coverage[toml]` of pytest-cov) for a requirement of its own, chooses the newest release for it, and then stops
# because that one is not in the lock.
set -euo pipefail
python=$1 lock=$2; shift 2
exec "$python" -m pip install --disable-pip-version-check --no-deps --require-hashes --only-binary :all: "$@" -r "$lock"
