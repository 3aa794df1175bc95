#!/usr/bin/env bash
# Chromium and its driver, by which the console's pages are tested: installs Debian's where they are not on PATH.
# Needs root, as a container of a build has it. Exit code 1, with the reason, where they cannot be had.
set -euo pipefail
command -v chromium >/dev/null && command -v chromedriver >/dev/null && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "No chromium and chromedriver on PATH; on Debian: apt-get install chromium chromium-driver fonts-noto-core" >&2
    exit 1
fi
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium chromium-driver fonts-noto-core >/dev/null
