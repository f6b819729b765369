#!/bin/sh
# Builds .venv from the locks when it is missing or stale.
#
# Python is the first of PYTHON_VERSIONS on PATH or under pyenv, or comes through uv; uv comes from
# PATH or, where it is missing, is installed into .uv with whatever Python there is. Where the
# machine's C library is too old for the wheels, newer_glibc.sh brings one into .venv.
set -eu
cd "$(dirname "$0")/.."

PYTHON_VERSIONS=${PYTHON_VERSIONS:-3.12 3.13 3.11}
UV_VERSION=0.13.9
LOCKS="requirements.lock requirements-dev.lock"
HOOK=kubeflow/tfx_cli/tfx_kubeflow.pth
GLIBC=2.39 # What the wheels of ML Metadata and TensorFlow Data Validation are built for.
DISK_GIB=4
# Written last: a .venv without it was never finished.
STAMP=.venv/made_from

say() { printf '%s\n' "setup: $*" >&2; }
die() {
    say "$*"
    exit 1
}

# What .venv is made from: the locks, these scripts, and its own place, which its programs name.
origin() {
    pwd
    cat $LOCKS "$HOOK" tools/make_venv.sh tools/newer_glibc.sh
}

is_version() {
    "$1" -c "import sys, sysconfig
sys.exit(f'{sys.version_info[0]}.{sys.version_info[1]}' not in '$2'.split()
    or bool(sysconfig.get_config_var('Py_GIL_DISABLED')))" >/dev/null 2>&1
}

if [ -f "$STAMP" ] && origin | cmp -s - "$STAMP" && is_version .venv/bin/python "$PYTHON_VERSIONS"; then
    exit 0
fi

find_python() {
    for version in $PYTHON_VERSIONS; do
        # A pyenv shim is on PATH for versions that are not active; only running it tells.
        for python in "python$version" \
            "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/"python$version" python3; do
            if is_version "$python" "$version"; then
                # Of an environment, perhaps the one that is about to go, its base.
                "$python" -c "import os, sys
base = os.path.join(sys.base_prefix, 'bin', 'python$version')
print(base if os.path.exists(base) else sys.executable)"
                return
            fi
        done
    done
}

# TFMA's pyfarmhash has no wheel: it is compiled.
check_compiler() {
    missing=
    command -v c++ >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || missing="a C++ compiler"
    headers=
    if [ -n "$python" ] && ! "$python" -c "import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')))"; then
        headers=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
        missing="${missing:+$missing and }the headers of Python $headers"
    fi
    [ -n "$missing" ] || return 0
    if command -v apt-get >/dev/null 2>&1; then
        remedy="apt-get install g++${headers:+ python$headers-dev}"
    elif command -v dnf >/dev/null 2>&1; then
        remedy="dnf install gcc-c++${headers:+ python$headers-devel}"
    elif [ "$(uname)" = Darwin ]; then
        remedy="xcode-select --install"
    else
        remedy="install them with the system's package manager"
    fi
    die "a package is compiled, and this machine lacks $missing: $remedy"
}

# Prints "yes" where the machine's C library is too old and a newer one can be brought.
check_platform() {
    case "$(uname) $(uname -m)" in
    "Darwin arm64") return 0 ;;
    "Linux x86_64") ;;
    *) die "TFX has no packages for $(uname) on $(uname -m): use Linux on x86-64 or macOS on arm64" ;;
    esac
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/glibc //')
    [ "$(printf '%s\n' "$GLIBC" "${glibc:-0}" | sort -V | head -n 1)" != "$GLIBC" ] || return 0
    # The answer of a machine without os-release is that it is neither.
    distribution=$(. /etc/os-release 2>/dev/null && echo "${ID-}") || distribution=
    case $distribution in
    debian | ubuntu)
        if command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; then
            echo yes
            return 0
        fi
        ;;
    esac
    die "the C library is ${glibc:+glibc $glibc, }too old for TFX's packages, which need glibc $GLIBC: use Debian 13, Ubuntu 24.04, Fedora 40 or newer, or the image (make image)"
}

check_disk() {
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    [ "$free" -ge "$DISK_GIB" ] ||
        die "$free GiB are free in $PWD, and .venv takes $DISK_GIB: make room and run again"
}

# Runs uv with its progress shown; of its other words a failure leaves the first few in $cause.
run_uv() {
    rm -f "$work/failed"
    { "$uv" "$@" 2>&1 || touch "$work/failed"; } | tee "$work/log" |
        { grep --line-buffered -E '^ *(Building|Downloading|Installed) ' >&2 || true; }
    [ -e "$work/failed" ] || return 0
    # Its warnings come before.
    cause=$(sed -nE '/^error: |^ *×/,$p' "$work/log" | grep -vE '^ *hint|^$' |
        sed 's/^[^a-zA-Z0-9]*//; s/^error: //' | head -n 3 | tr '\n' ' ' | cut -c 1-300)
    cause=${cause% }
    return 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
old_glibc=$(check_platform)
python=$(find_python)
check_compiler
check_disk

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=.uv/bin/uv
fi
if ! "$uv" --version >/dev/null 2>&1; then
    say "installing uv $UV_VERSION into .uv"
    rm -rf .uv
    { "${python:-python3}" -m venv .uv && .uv/bin/python -m pip install --quiet "uv==$UV_VERSION"; } >/dev/null 2>&1 ||
        die "cannot install uv, which installs the packages: install it yourself (pip install uv), or a Python with venv and pip, and a network"
fi

say "building .venv with ${python:-a Python from uv} (3 GB, some minutes)"
rm -rf .venv
run_uv venv --quiet --python "${python:-${PYTHON_VERSIONS%% *}}" .venv ||
    die "no Python of $PYTHON_VERSIONS on PATH or under pyenv, and uv could not fetch one ($cause): install Python ${PYTHON_VERSIONS%% *}"
platform=
if [ -n "$old_glibc" ]; then
    say "bringing a C library of $GLIBC or newer into .venv, since this machine's is older"
    tools/newer_glibc.sh fetch
    platform="--python-platform x86_64-manylinux_$(echo "$GLIBC" | tr . _)"
fi
# Compiled now: where PYTHONDONTWRITEBYTECODE is set, every process would compile all of TFX again.
# shellcheck disable=SC2086 # Two words, or none.
VIRTUAL_ENV=.venv run_uv pip sync --require-hashes --compile-bytecode $platform $LOCKS ||
    die "installing the packages failed: $cause; run again to retry"
[ -z "$old_glibc" ] || tools/newer_glibc.sh use
# The tfx command's handler for Kubeflow, from here; kubeflow/README.md tells more.
for site in .venv/lib/python3*/site-packages; do { printf '%s/' "$PWD" && cat "$HOOK"; } >"$site/${HOOK##*/}"; done
origin >"$STAMP"
say "done"
