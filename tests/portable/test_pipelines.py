"""Whole pipelines with their Beam steps on Prism and their workers in a pool elsewhere."""

import json
import os

import pytest

from tests.portable.workplace import PIPELINES, prism_args


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_pipeline_pushes_a_model(pipeline, prism, pool, workplace):
    place = workplace(pipeline)
    steps = [place.example_gen, "StatisticsGen", "Transform", "Evaluator"]
    code, said = place.run(steps, prism_args(prism, pool.address))
    assert code == 0, said
    assert "warning: no report" not in said
    with open(os.path.join(place.home, "summary.json"), encoding="utf-8") as file:
        assert json.load(file)["blessed"]
    assert len(os.listdir(os.path.join(place.home, "serving"))) == 1
    # Each step is a Beam job at least, and each job starts a worker.
    assert len(pool.workers()) >= len(steps)
