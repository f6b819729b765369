#!/bin/sh
# Looks the packages of the locks up among the known vulnerabilities at osv.dev, less the
# reviewed ones in audit_exceptions.txt. Exit 1: there are others; 2: the look-up failed.
set -eu
cd "$(dirname "$0")/.."

PIP_AUDIT=pip-audit@2.9.0

ignore=$(sed -n 's/^\([^# ][^ ]*\).*/--ignore-vuln \1/p' tools/audit_exceptions.txt)
# shellcheck disable=SC2086 # One word for each exception.
if found=$(PATH="$PWD/.uv/bin:$PATH" uv tool run --python .venv/bin/python "$PIP_AUDIT" \
    --vulnerability-service osv --strict --disable-pip --require-hashes \
    --requirement requirements.lock --requirement requirements-dev.lock \
    --requirement requirements-gpu.lock --progress-spinner off $ignore 2>&1); then
    echo "audit: no known vulnerability that is not reviewed"
    exit 0
fi
case $found in
*"Found "*" known vulnerabilit"*)
    printf '%s\n' "$found"
    exit 1
    ;;
esac
printf 'audit: nothing was checked: %s\n' "$(printf '%s\n' "$found" | tail -n 1 | cut -c 1-300)" >&2
exit 2
