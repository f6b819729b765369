import subprocess
import sys

import pytest

from pipeline.cli.main import main
from pipeline.cli.settings import settings_lines
from pipeline.config import preset


def test_answers_that_need_no_run_do_not_import_the_stack():
    code = (
        "import sys; from pipeline.cli.main import main\n"
        "try: main(['run', 'ncf', '--set', 'bath_size=3'])\n"
        "finally: print(sorted({'tensorflow', 'apache_beam', 'tfx', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr.strip() == (
        "error: bath_size=3: ncf has no setting 'bath_size'; did you mean batch_size?"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "ncf", "--set", "preset=neumff"], "did you mean neumf?"),
        (["run", "ncf", "--dataset", "ml-1n", "--no-download"], "did you mean ml-1m?"),
        (["run", "ncf", "--dataset", "ml-1m", "--no-download"], "python -m pipeline download"),
        (["download", "ml-2m"], "dataset='ml-2m': must be one of"),
        (["download", "ml-1n"], "did you mean ml-1m?"),
        (["rum", "ncf"], "did you mean run?"),
        (
            ["run", "nfc"],
            "pipeline='nfc': must be one of ncf, movielens, census; did you mean ncf?",
        ),
        (["run", "ncf", "--dataste", "sample"], "did you mean --dataset?"),
        (["run", "ncf", "--output-root", "gs://b/out"], "'gs://b/out' is not a folder on this"),
        (["list", "--output-root", ""], "--output-root: '' is not a folder on this machine"),
        (["run", "ncf", "--dataset", ""], "--dataset='': must be a name"),
        (["run", "ncf", "--set", "layers=64,,8"], "layers='': must be a whole number"),
        (["run", "ncf", "--set", "learning_rate=inf"], "learning_rate='inf': must be a number"),
        (["settings", "ncf", "--set", "seed=3"], "unknown argument --set; see: python -m"),
        (["recommend", "--all", "--top", "0"], "--top=0: must be at least 1"),
        (
            ["recommend", "--item"],
            "expected one argument; if it begins with a dash, write --item=-...; see: python -m",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and message in error


def test_a_reader_that_has_had_enough_is_no_fault():
    command = [sys.executable, "-m", "pipeline", "settings", "ncf"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_settings_lists_what_set_takes(capsys):
    assert main(["settings", "ncf", "--preset", "ncf_2018"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "layers=64,32,16,8" in lines and "stop_threshold=none" in lines
    # Each with its meaning and its rule, a line each for a program that reads it.
    settings = [line for line in lines if not line.startswith(" ")][1:]
    assert settings == sorted(settings) and len(lines) == 1 + 3 * len(settings)
    i = lines.index("train_epochs=2")
    assert lines[i + 1 : i + 3] == [
        "    Passes over the training examples.",
        "    Must be at least 1.",
    ]


def test_settings_stay_within_a_terminal():
    config = preset("census", "best")
    lines, wrapped = ([*settings_lines(config, width)] for width in (0, 60))
    assert max(map(len, lines)) > max(map(len, wrapped)) > 50 and max(map(len, wrapped)) <= 60
    assert " ".join(lines).split() == " ".join(wrapped).split()
