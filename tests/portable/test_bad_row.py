"""A malformed row, found by a worker in a pool elsewhere or in the run's own process."""

import os

import pytest

from pipeline.datasets.movielens_sample import write_sample
from tests.portable.workplace import prism_args
from transforms.base.in_process_beam import LOCAL_ARGS


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["FnApiRunner", "Prism"])
def test_a_bad_row_ends_the_run_in_its_own_line(runner, prism, pool, workplace):
    place = workplace("ncf")
    sample = os.path.join(place.folder, "data", "sample")
    os.makedirs(sample)
    write_sample(sample)
    ratings = os.path.join(sample, "ratings.dat")
    with open(ratings, encoding="utf-8") as file:
        lines = file.readlines()
    lines[99] = "1::2::five::978300760\n"
    with open(ratings, "w", encoding="utf-8") as file:
        file.writelines(lines)
    args = prism_args(prism, pool.address) if runner == "Prism" else LOCAL_ARGS
    code, said = place.run([place.example_gen], args)
    assert code == 2, said
    (mistake,) = (line for line in said.splitlines() if line.startswith("error: "))
    assert f"{ratings}:100: rating 'five' is not a number" in mistake
    assert "Traceback" not in said
