#!/usr/bin/env bash
# Prometheus, promtool and Alertmanager of Debian, unpacked into a folder: no root, nothing installed, nothing started.
#   prometheus.sh FOLDER
# Does nothing where all three are on PATH. Exit code 1, with the reason, where they cannot be had.
set -euo pipefail
folder=$1
if command -v prometheus promtool && { command -v alertmanager || command -v prometheus-alertmanager; }; then
    exit 0
fi >/dev/null
[ -x "$folder/usr/bin/prometheus" ] && [ -x "$folder/usr/bin/prometheus-alertmanager" ] && exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    echo "No Prometheus on PATH, and no apt-get that could bring it." >&2
    exit 1
fi
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt=(apt-get -qq -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=)
mkdir -p lists/partial cache/archives/partial
# The machine's own lists, if it has some; else a private copy, since a bare image has none.
apt-get -qq download prometheus prometheus-alertmanager 2>/dev/null \
    || { "${apt[@]}" update && "${apt[@]}" download prometheus prometheus-alertmanager; } >&2
for package in ./*.deb; do
    dpkg -x "$package" unpacked
done
# Debian's Alertmanager looks for its templates where the package would be installed; this copy, in its working folder:
# the path in the program becomes one of the same length that means "here".
old=/usr/share/prometheus/alertmanager
new=.$(printf '/%.0s' $(seq $((${#old} - 1))))
LC_ALL=C sed -i "s#$old#$new#g" unpacked/usr/bin/prometheus-alertmanager
# At once, since two may do this at the same time.
cp -r unpacked "$folder.$$" && { mv -T "$folder.$$" "$folder" 2>/dev/null || rm -rf "$folder.$$"; }
