"""A worker that dies in the middle of a job on Prism."""

import glob
import os
import signal
import time

import pytest

from tests.portable.examples import make_examples, records
from tests.portable.workplace import end, prism_args


@pytest.mark.slow
def test_a_killed_worker_fails_the_run_in_one_line_and_the_next_run_is_whole(
    prism, pool, workplace, tmp_path
):
    place = workplace("ncf")
    args = prism_args(prism, pool.address)
    process = place.start([place.example_gen], args)
    examples = os.path.join(place.home, "artifacts", place.example_gen, "examples")
    # Beam's folder for shards that are not whole yet.
    while not glob.glob(f"{examples}/*/Split-*/beam-temp-*"):
        assert process.poll() is None, end(process)
        time.sleep(0.01)
    os.kill(pool.workers()[-1], signal.SIGKILL)
    code, said = end(process)
    assert code == 1, said
    # Behind it all Beam may say that it stops Prism.
    lines = iter(said.splitlines())
    assert any(line.startswith(f"fault in {place.example_gen}: ") for line in lines)
    assert next(lines).startswith("the whole log: ")
    assert "Traceback" not in said
    assert not glob.glob(f"{examples}/*/Split-*/*.gz")
    assert not os.path.exists(os.path.join(place.home, "serving"))

    code, said = place.run([place.example_gen], args)
    assert code == 0, said
    expected = make_examples("ncf", tmp_path / "direct", [])
    (examples,) = place.outputs(place.example_gen, "examples")
    assert records(examples) == records(expected)
