"""How a run ends whose pipeline is cut short, and what it leaves in the output folder."""

import contextlib
import datetime
import errno
import fcntl
import io
import json
import os

import pytest

from components.data_gate.errors import DataGateError
from pipeline.cli.main import main
from pipeline.run import dag_runner, summary
from pipeline.run import run as run_module


class Place:
    """An output folder, and runs of a pipeline in which the components are left out."""

    def __init__(self, folder, monkeypatch, capfd):
        self.home = folder / "output" / "ncf"
        self.home.mkdir(parents=True)
        self._roots = [f"--data-root={folder / 'data'}", f"--output-root={folder / 'output'}"]
        self._patch = monkeypatch
        self._capfd = capfd

    def run(self, end=None):
        """Runs the command line, where the components raise `end`.

        Returns:
            The exit code, the output, and the lines that tell of mistakes. In this process the
            stack's logs get past the file descriptors to pytest's own stream of errors.
        """

        def run_pipeline(pipeline, progress):
            progress.start("Trainer")
            if end is not None:
                raise end
            progress.finish("Trainer", cached=False)

        self._patch.setattr(dag_runner, "run_pipeline", run_pipeline)
        self._capfd.readouterr()
        # Standard output is the log's by then, of which pytest knows nothing.
        with contextlib.redirect_stdout(io.StringIO()) as logged:
            code = main(["run", "ncf", "--dataset=sample", "--no-download", *self._roots])
        assert logged.getvalue() == ""
        out, err = self._capfd.readouterr()
        return code, out, [line for line in err.splitlines() if line.startswith("error: ")]

    def summary(self):
        with open(self.home / "summary.json", encoding="utf-8") as file:
            return json.load(file)

    def outcome(self):
        return self.summary()["outcome"]


@pytest.fixture
def place(tmp_path, monkeypatch, capfd):
    return Place(tmp_path, monkeypatch, capfd)


@pytest.fixture
def judged(monkeypatch):
    """Returns a function that makes the summary tell of a model that is pushed, or refused."""

    def judge(blessed, reasons, quarantine=None):
        record = {
            "metrics": {"hit_rate_at_10": 0.5, "ndcg_at_10": 0.3},
            "blessed": blessed,
            "notes": ["a note"],
            "reasons": reasons,
        }
        told = {
            "quarantine": quarantine,
            "notes": ["a note", "note: of the data"],
            "counters": {"quarantined": 3},
            "lineage": {},
            "pushed_model": "serving/1" if blessed else None,
        }
        monkeypatch.setattr(summary, "summarise", lambda *unused: (told, record))

    return judge


def test_a_fault_of_the_program_is_exit_1_with_the_log_and_a_record(place):
    code, out, mistakes = place.run(KeyError("user_id"))
    assert code == 1 and not mistakes and place.outcome() == "fault"
    kept = place.summary()
    assert kept["stopped_in"] == "Trainer" and "Trainer" in kept["seconds"]
    assert kept["reasons"] == ["fault in Trainer: KeyError: 'user_id'"]
    assert "fault in Trainer: KeyError: 'user_id'\nthe whole log: " in out


@pytest.mark.parametrize(
    ("said", "told"), [("a" * 400 + "\nb", "a" * 300), ("\n one\ntwo", "one"), ("", "no message")]
)
def test_of_a_fault_the_first_line_is_told_as_far_as_it_is_short(said, told, place):
    place.run(RuntimeError(said))
    assert place.summary()["reasons"] == [f"fault in Trainer: RuntimeError: {told}"]


def test_a_record_tells_what_was_run_on_what_and_when(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, out, _ = place.run(KeyError("user_id"))
    assert out.startswith("ncf: preset sample, data set sample\n")
    # Paths are short where they lead down from here.
    assert "\nthe whole log: output/ncf/logs/" in out
    assert "\nsummary: output/ncf/summary.json\n" in out
    kept = place.summary()
    assert (kept["pipeline"], kept["preset"]) == ("ncf", "sample")
    assert kept["data"]["dataset"] == "sample"
    assert os.path.isabs(kept["data"]["folder"]) and os.path.isdir(kept["data"]["folder"])
    assert os.path.isfile(kept["log"]) and os.path.dirname(kept["log"]) == str(place.home / "logs")
    began = datetime.datetime.strptime(kept["started"], "%Y-%m-%dT%H:%M:%S%z")
    since = datetime.datetime.now(datetime.UTC) - began
    assert datetime.timedelta(0) <= since < datetime.timedelta(minutes=5)
    (name,) = os.listdir(place.home / "runs")
    assert name == os.path.basename(kept["log"]).replace(".log", ".json")
    assert (place.home / "runs" / name).read_text() == (place.home / "summary.json").read_text()


def test_from_elsewhere_paths_are_whole(place, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert f"\nsummary: {place.home}/summary.json\n" in place.run(KeyError("user_id"))[1]


def test_a_fault_of_the_machine_is_one_line_and_exit_2(place):
    shard = str(place.home / "artifacts" / "shard")
    code, _, (mistake,) = place.run(OSError(errno.ENOSPC, "No space left on device", shard))
    assert code == 2 and place.outcome() == "user_mistake"
    assert mistake.startswith(f"error: Trainer: {shard}: No space left on device; free space or ")


def test_each_reason_of_the_data_gate_is_kept_by_itself(place):
    code, _, mistakes = place.run(DataGateError.of(["the data differ", "train: age: too old"]))
    assert code == 4 and len(mistakes) == 1
    assert place.outcome() == "refused_by_data_gate"
    assert place.summary()["reasons"] == ["the data differ", "train: age: too old"]


def test_a_killed_run_leaves_nothing_of_the_run_before(place):
    for name in ("summary.json", "report.html"):
        (place.home / name).write_text("of the run before")
    code, _, _ = place.run(KeyboardInterrupt())
    assert code == 130
    assert not {"summary.json", "report.html"} & set(os.listdir(place.home))


def test_a_folder_where_another_run_is_at_work_is_refused(place):
    with open(place.home / "lock", "w") as file:
        # Whoever locks it for himself alone gets no lock beside a shared one.
        fcntl.flock(file, fcntl.LOCK_SH)
        code, _, (mistake,) = place.run()
    assert code == 2 and mistake.startswith(f"error: {place.home}: another run is at work here")


@pytest.mark.parametrize("name", ["lock", "logs", "report.html"])
def test_what_the_output_folder_does_not_allow_is_named_before_the_run(place, name):
    file = place.home / name
    file.write_text("") if name == "logs" else file.mkdir()
    code, out, (mistake,) = place.run()
    assert code == 2 and out == ""
    assert mistake.startswith(f"error: {file}: ")
    assert mistake.endswith("; free space or choose another folder with --output-root")


def test_bad_rows_that_were_set_aside_are_told_with_their_file(place, judged):
    judged(True, [], quarantine="/data/bad_rows.jsonl")
    code, out, _ = place.run()
    assert code == 0 and "bad rows set aside: 3, in /data/bad_rows.jsonl\n" in out
    judged(True, [])
    assert "bad rows" not in place.run()[1]


def test_what_the_summary_notes_is_told(place, judged):
    judged(True, [])
    assert "  kept\na note\nnote: of the data\nblessed and pushed" in place.run()[1]


@pytest.mark.parametrize("blessed", [True, False])
def test_a_record_that_cannot_be_written_hides_no_verdict(place, judged, blessed):
    judged(blessed, [] if blessed else ["too low"])
    (place.home / "runs").write_text("")
    code, out, mistakes = place.run()
    last = out.splitlines()[-1]
    said = f"no record could be written: {place.home / 'runs'}: File exists; mend that and run"
    assert "  hit_rate_at_10   0.5000  >= 0.4 (min_hit_rate)  kept\n" in out and not mistakes
    if blessed:
        assert code == 1 and "blessed and pushed: serving/1\n" in out
        assert last.startswith(f"pushed, but {said}")
    else:
        assert code == 3 and "refused: too low\nnothing was pushed\n" in out
        assert last.startswith(said)


def test_a_disk_that_names_no_file_is_told_with_the_folder(place, judged, monkeypatch):
    def keep_run(*unused):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_module, "keep_run", keep_run)
    judged(True, [])
    code, out, _ = place.run()
    said = f"no record could be written: {place.home}: No space left on device; mend that"
    assert code == 1 and f"pushed, but {said}" in out


def test_a_mistake_is_told_where_no_record_of_it_can_be_written(place):
    (place.home / "runs").write_text("")
    code, out, (mistake,) = place.run(OSError("database is locked"))
    assert code == 2 and "metadata.sqlite is locked" in mistake and "no record could be" in out


def test_a_file_that_the_summary_misses_is_a_fault_that_is_kept(place, monkeypatch):
    def summarise(*unused):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/gone/history.json")

    monkeypatch.setattr(summary, "summarise", summarise)
    code, out, mistakes = place.run()
    assert code == 1 and not mistakes and place.outcome() == "fault"
    assert "fault in summary and report: FileNotFoundError: " in out and "/gone/hist" in out


@pytest.mark.parametrize(
    ("blessed", "reasons", "code", "outcome"),
    [
        (True, [], 0, "pushed"),
        (False, ["too low"], 3, "refused_by_model_gate"),
        (False, [], 0, "measured"),
    ],
)
def test_the_verdict_is_the_exit_code(place, judged, blessed, reasons, code, outcome):
    judged(blessed, reasons)
    found, out, _ = place.run()
    assert found == code and place.outcome() == outcome
    told_of_summary, told_of_report = out.splitlines()[-2:]
    assert told_of_summary.startswith("summary: ")
    assert told_of_report.startswith(("report: ", "warning: no report: "))
