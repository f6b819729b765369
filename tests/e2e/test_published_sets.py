"""Whole runs of every published MovieLens set, as a folder, an archive and a download."""

import dataclasses

import numpy as np
import pytest

import pipeline.datasets.movielens
from pipeline.cli.main import main
from tests.pipeline.datasets.published import NAMES, archive, layout
from tests.pipeline.datasets.servers import Server, sha256

USERS, ITEMS, EACH = 40, 40, 15
QUICK = {
    "ncf": ("min_ratings=5", "eval_negatives=10", "min_hit_rate=0.01", "min_ndcg=0.01"),
    # So few ratings differ by chance.
    "movielens": ("max_rmse=5", "accept_drift=1"),
}


def rows():
    rng = np.random.default_rng(0)
    ratings = [
        (user, int(item) + 1, float(rng.integers(1, 6)), 978300760 + 60 * place)
        for user in range(1, USERS + 1)
        for place, item in enumerate(rng.permutation(ITEMS)[:EACH])
    ]
    movies = [(item, f"Film {item} (1999)", {"Drama", "War"}) for item in range(1, ITEMS + 1)]
    return ratings, movies


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["folder", "archive", "download"])
@pytest.mark.parametrize("definition", ["ncf", "movielens"])
def test_a_published_set_becomes_a_pushed_model(tmp_path, monkeypatch, definition, way, name):
    folder, files = layout(name, *rows())
    packed = archive(folder, files)
    root = tmp_path / "data"
    root.mkdir()
    arguments = ["run", definition, "--dataset", name, "--data-root", str(root)]
    arguments += ["--output-root", str(tmp_path / "output"), "--set", "preset=best"]
    if definition == "ncf":
        arguments += ["--set", "model_type=gmf"]
    for setting in ("train_epochs=1", "batch_size=256", *QUICK[definition]):
        arguments += ["--set", setting]
    if way == "folder":
        (root / folder).mkdir()
        for file, content in files.items():
            (root / folder / file).write_bytes(content)
    if way == "archive":
        (root / f"{name}.zip").write_bytes(packed)
    if way != "download":
        arguments.append("--no-download")
    with Server() as server:
        server.files = {f"/{name}.zip": packed}
        catalog = pipeline.datasets.movielens.MOVIELENS
        dataset = catalog.datasets[name]
        source = dataclasses.replace(
            dataset.sources[0],
            url=server.url(f"/{name}.zip"),
            pins={f"{name}.zip": sha256(packed)},
        )
        dataset = dataclasses.replace(dataset, sources=(source,))
        replaced = dataclasses.replace(catalog, datasets={**catalog.datasets, name: dataset})
        monkeypatch.setattr(pipeline.datasets.movielens, "MOVIELENS", replaced)
        assert main(arguments) == 0
    (model,) = (tmp_path / "output" / definition / "serving").iterdir()
    assert (model / "saved_model.pb").exists()
