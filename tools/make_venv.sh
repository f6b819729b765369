#!/bin/sh
# Builds .venv from requirements.lock when it is missing or stale.
#
# Python 3.10 comes from PATH, from pyenv's versions, or through uv; uv comes from PATH or, where it
# is missing, is installed into .uv with whatever Python there is.
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
STAMP=.venv/requirements.lock # Written last: a .venv without it was never finished.

cmp -s requirements.lock "$STAMP" && exit 0

say() { printf '%s\n' "setup: $*" >&2; }
die() {
    say "$*"
    exit 1
}

is_310() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' >/dev/null 2>&1; }

find_python() {
    # A pyenv shim is on PATH for versions that are not active; only running it tells.
    for python in python3.10 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10*/bin/python3.10 python3; do
        if is_310 "$python"; then
            echo "$python"
            return
        fi
    done
}

find_uv() {
    if command -v uv >/dev/null 2>&1; then
        echo uv
    elif [ -x .uv/bin/uv ]; then
        echo .uv/bin/uv
    fi
}

python=$(find_python)
uv=$(find_uv)
if [ -z "$uv" ]; then
    host=${python:-python3}
    say "installing uv $UV_VERSION into .uv"
    rm -rf .uv
    { "$host" -m venv .uv && .uv/bin/python -m pip install --quiet "uv==$UV_VERSION"; } >&2 ||
        die "cannot install uv: install it yourself (pip install uv), or a Python with venv and pip, and run again"
    uv=.uv/bin/uv
fi

say "building .venv from requirements.lock with ${python:-Python 3.10 from uv} (2.9 GB, some minutes)"
rm -rf .venv
"$uv" venv --quiet --python "${python:-3.10}" .venv ||
    die "no Python 3.10 found on PATH or under pyenv, and uv could not fetch one: install Python 3.10 and run again"
# Compiled now: where PYTHONDONTWRITEBYTECODE is set, every process would compile all of TFX again.
VIRTUAL_ENV=.venv "$uv" pip sync --require-hashes --compile-bytecode requirements.lock ||
    die "installing the packages failed: see the lines above; run again to retry"
cp requirements.lock "$STAMP"
say "done"
