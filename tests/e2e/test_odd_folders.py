"""Results in a folder whose name the stack would take for a pattern."""

import os

import pytest

from tests.e2e.conftest import Workplace

PIPELINE = "census"
BOUNDS = ("--set", "train_epochs=4", "--set", "min_accuracy=0.78", "--set", "min_auc=0.8")


@pytest.mark.slow
def test_a_folder_of_any_name_takes_a_model_and_is_looked_into_again(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "o [1] 50%?").mkdir()
    place = Workplace(PIPELINE, tmp_path / "o [1] 50%?")
    place.data = str(tmp_path / "data")
    done = place.run(*BOUNDS)
    assert done.code == 0, done.out + done.err
    (version,) = place.pushed()
    assert f"blessed and pushed: {place.home}/serving/{version}\n" in done.out
    assert os.path.isfile(f"{place.home}/summary.json")
    again = place.run(*BOUNDS)
    assert again.code == 0 and not place.executed()
    adults = os.path.join(place.data, "census-sample", "adult.test")
    predicted = place.use(
        capfd, "predict", PIPELINE, "--input", adults, "--out", str(tmp_path / "p")
    )
    assert predicted.code == 0, predicted.err
