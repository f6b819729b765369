import os
import subprocess
import sys

import pytest

from pipeline.datasets.movielens import MOVIELENS

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
# What bash does when a user has typed $1 and presses Tab.
TAB = """
tfx-recommenders() { "$PYTHON" -m pipeline "$@"; }
eval "$script"
COMP_LINE="$1" COMP_POINT=${#1} COMP_TYPE=9
_python_argcomplete tfx-recommenders
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script():
    """What the command prints."""
    command = [sys.executable, "-m", "pipeline", "completion"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_the_script_is_one_that_bash_takes(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("typed", "candidates"),
    [
        ("run n", ["ncf"]),
        ("r", ["run", "recommend", "rollback"]),
        ("run census --no", ["--no-download"]),
        ("run ncf --set preset=ncf_", ["ncf_2018"]),
        ("run ncf --set num_f", ["num_factors="]),
        (
            "run ncf --data-root mine --dataset m",
            sorted({*MOVIELENS.datasets, "my-own"} - {"sample"}),
        ),
        ("download cen", ["census"]),
        ("settings census --preset w", ["wide_deep_2018"]),
    ],
)
def test_tab_completes_the_word(typed, candidates, script, tmp_path):
    (tmp_path / "mine" / "my-own").mkdir(parents=True)
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": ROOT, "script": script}
    command = ["bash", "-c", TAB, "bash", f"tfx-recommenders {typed}"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert [word.strip() for word in done.stdout.splitlines()] == candidates, done.stderr
