"""The set-up on machines that lack something, with programs of the test's own on PATH."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
# fmt: off
PLAIN = [
    "awk", "cat", "cmp", "cut", "dirname", "env", "grep", "head", "ln", "mkdir", "mktemp", "mv",
    "pwd", "rm", "sed", "sh", "sort", "tail", "tee", "touch", "tr", "uname",
]
# fmt: on
HOOK = "kubeflow/tfx_cli/tfx_kubeflow.pth"
VERSION = "{}.{}".format(*sys.version_info)
# Makes .venv as uv does, as far as set-up looks at it.
UV = f"""#!/bin/sh
echo "$@" >>"$CALLS"
case $1 in
--version) exit 0 ;;
venv)
    mkdir -p .venv/bin .venv/lib/python{VERSION}/site-packages
    ln -s {sys.executable} .venv/bin/python ;;
esac
"""


class Machine:
    """A checkout with the set-up alone, and a PATH with nothing but what a test puts there."""

    def __init__(self, folder):
        self.home = folder / "project"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        shutil.copytree(ROOT / "tools", self.home / "tools")
        hook = self.home / HOOK
        hook.parent.mkdir(parents=True)
        shutil.copy(ROOT / HOOK, hook)
        self.bin.mkdir()
        for lock in ("requirements.lock", "requirements-dev.lock"):
            (self.home / lock).write_text(f"# {lock}\n")
        for name in PLAIN:
            os.symlink(shutil.which(name), self.bin / name)
        self.put("getconf", "echo glibc 2.41")
        self.put("df", "echo head; echo /dev/disk 9 9 99999999 1% /")
        self.put("c++", "")
        self.put(f"python{VERSION}", f'exec {sys.executable} "$@"')
        self.put("uv", UV)

    def put(self, name, script):
        """Puts a program on PATH; None removes it."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        if script is not None:
            path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)

    def setup(self, **variables):
        """Runs the set-up; returns its exit status and what it said."""
        environment = {
            "PATH": str(self.bin),
            "HOME": str(self.home.parent),
            "CALLS": str(self.calls),
            "PYTHON_VERSIONS": VERSION,
        }
        done = subprocess.run(
            [str(self.home / "tools" / "make_venv.sh")],
            env={**environment, **variables},
            capture_output=True,
            text=True,
        )
        assert not done.stdout
        return done.returncode, done.stderr.splitlines()

    def installs(self):
        """How often packages were installed."""
        return self.calls.read_text().count("pip sync") if self.calls.exists() else 0


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_whole_environment_is_built_once(machine):
    assert machine.setup()[0] == 0 and machine.installs() == 1
    assert machine.setup() == (0, []) and machine.installs() == 1


def test_python_finds_the_tfx_commands_handler_in_the_checkout(machine):
    machine.setup()
    site = machine.home / ".venv" / "lib" / f"python{VERSION}" / "site-packages"
    folder, hook = (site / "tfx_kubeflow.pth").read_text().splitlines()
    assert folder == str(machine.home / "kubeflow" / "tfx_cli")
    assert hook == "import tfx_kubeflow_hook"


def test_an_environment_is_built_anew_when_it_is_unfinished_moved_or_made_from_other_locks(machine):
    machine.setup()
    (machine.home / ".venv" / "made_from").unlink()
    machine.setup()
    assert machine.installs() == 2
    machine.home = machine.home.rename(machine.home.parent / "moved")
    machine.setup()
    assert machine.installs() == 3
    (machine.home / "requirements-dev.lock").write_text("# another\n")
    machine.setup()
    assert machine.installs() == 4
    assert machine.setup() == (0, []) and machine.installs() == 4


def test_an_environment_whose_python_is_gone_or_of_another_version_is_built_anew(machine):
    machine.setup()
    (machine.home / ".venv" / "bin" / "python").unlink()
    machine.setup()
    assert machine.installs() == 2
    machine.put("python9.9", "exit 1")
    status, said = machine.setup(PYTHON_VERSIONS="9.9")
    assert (status, machine.installs()) == (0, 3) and "a Python from uv" in said[0]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"c++": None, "apt-get": "exit 9"}, "a package is compiled, and this machine lacks"),
        ({"c++": None, "apt-get": "exit 9"}, "lacks a C++ compiler: apt-get install g++"),
        ({"c++": None, "dnf": "exit 9"}, "lacks a C++ compiler: dnf install gcc-c++"),
        (
            {"getconf": "echo glibc 2.31"},
            "glibc 2.31, too old for TFX's packages, which need glibc",
        ),
        ({"getconf": "echo glibc 2.31"}, "use Debian 13, Ubuntu 24.04, Fedora 40 or newer, or the"),
        ({"getconf": "exit 1"}, "setup: the C library is too old for TFX's packages"),
        ({"uname": "case $1 in -m) echo riscv64;; *) echo Linux;; esac"}, "for Linux on riscv64"),
        ({"df": "echo head; echo /dev/disk 9 9 2000000 1% /"}, "1 GiB are free in"),
        ({"uv": None, f"python{VERSION}": None, "python3": "exit 1"}, "cannot install uv"),
    ],
)
def test_what_a_machine_lacks_is_one_line_before_anything_is_fetched(machine, change, line):
    for name, script in change.items():
        machine.put(name, script)
    status, said = machine.setup()
    # Where uv itself is to be installed, a line before tells so.
    assert status == 1 and line in said[-1] and len(said) <= 1 + ("uv" in change)
    assert machine.installs() == 0 and not (machine.home / ".venv").exists()


def test_missing_headers_are_named_with_their_package(machine):
    # The first question is for the base of the environment that a Python is in.
    machine.put(
        f"python{VERSION}",
        'case "$*" in *base_prefix*) echo "$0";; *Python.h*) exit 1;; '
        f'*) exec {sys.executable} "$@";; esac',
    )
    machine.put("apt-get", "exit 9")
    status, said = machine.setup()
    assert status == 1 and len(said) == 1
    assert f"lacks the headers of Python {VERSION}" in said[0]
    assert said[0].endswith(f"apt-get install g++ python{VERSION}-dev")


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("venv", "and uv could not fetch one (no network"),
        ("pip", "installing the packages failed: no network"),
    ],
)
def test_what_uv_could_not_do_is_one_line_and_done_again(machine, step, line):
    failing = f"{step}) echo 'Downloading x (1 MiB)' >&2; echo 'error: no network' >&2; exit 2 ;;"
    machine.put("uv", UV.replace("case $1 in", f"case $1 in\n{failing}"))
    status, said = machine.setup()
    assert status == 1 and line in said[-1]
    assert [text for text in said if not text.startswith("setup: ")] == ["Downloading x (1 MiB)"]
    machine.put("uv", UV)
    assert machine.setup()[0] == 0 and machine.setup() == (0, [])
