"""Whole pipelines with their Beam steps on Prism and their workers in a pool elsewhere."""

import dataclasses
import json
import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.cli.main import main
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


@pytest.mark.slow
def test_everybody_is_recommended_what_one_machine_recommends(prism, pool, workplace, tmp_path):
    place = dataclasses.replace(workplace("ncf"), settings=("batch_top=6",))
    code, said = place.run(["BulkRecommender"], prism_args(prism, pool.address))
    assert code == 0, said
    assert pool.workers()
    with open(os.path.join(place.home, "summary.json"), encoding="utf-8") as file:
        shards = pq.read_table(json.load(file)["lineage"]["recommendations"])
    out = str(tmp_path / "all.parquet")
    command = ["recommend", "--all", "--top", "6", "--out", out]
    assert main([*command, "--output-root", os.path.dirname(place.home)]) == 0
    order = [("user_id", "ascending"), ("rank", "ascending")]
    found, told = (table.sort_by(order) for table in (shards, pq.read_table(out)))
    for name in ("user_id", "rank", "item_id"):
        assert found[name].to_pylist() == told[name].to_pylist()
    np.testing.assert_allclose(found["score"], told["score"], atol=1e-5)
