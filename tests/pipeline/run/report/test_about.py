import json
import shlex

import pytest

from pipeline.config import preset
from pipeline.pipelines.registry import definition, pipelines
from pipeline.run.report.about import about
from pipeline.settings import PARTS, apply_settings, configure, setting_values
from transforms.base.settings import to_json


def summary(config, dataset="mine"):
    settings = {part: json.loads(to_json(getattr(config, part))) for part in PARTS}
    return {
        "pipeline": config.pipeline,
        "preset": config.preset,
        "data": {"dataset": dataset},
        "settings": settings,
    }


@pytest.mark.parametrize(
    ("pipeline", "name", "pairs"),
    [
        ("ncf", "best", []),
        (
            "ncf",
            "neumf",
            ["seed=7", "layers=32,16", "mlp_regularization=0,0", "stop_threshold=0.5"],
        ),
        ("movielens", "causal", ["split=global_time", "split_time=5", "max_rmse=1.5"]),
        ("ncf", "gmf", ["columns=user:a b,item:c", "tune=true", "batch_top=5"]),
        ("census", "wide_deep_2018", ["seed=0"]),
    ],
)
def test_the_command_makes_the_same_settings_again(pipeline, name, pairs):
    config = apply_settings(preset(pipeline, name), pairs)
    words = shlex.split(about(summary(config), definition(pipeline)).command)
    assert words[:7] == ["python", "-m", "pipeline", "run", pipeline, "--dataset", "mine"]
    given = words[8::2]
    assert set(words[7::2]) == {"--set"} and given[0] == f"preset={name}"
    assert len(given) == 1 + len(set(pairs) - {"seed=0"})
    assert setting_values(configure(pipeline, given)) == setting_values(config)


def test_the_licence_is_that_of_the_data_set():
    config = preset("ncf")
    told = {
        name: about(summary(config, name), definition("ncf")).licence
        for name in ("ml-1m", "sample", "mine")
    }
    assert told["ml-1m"].startswith("GroupLens allows research")
    assert told["sample"].startswith("made up") and told["mine"].startswith("data of your own")


def test_every_pipeline_and_data_set_says_what_it_may_be_used_for():
    for found in pipelines().values():
        assert len(found.limits) > 100 and found.limits.endswith(".")
        for name, dataset in found.load_catalog().datasets.items():
            assert dataset.licence, name
