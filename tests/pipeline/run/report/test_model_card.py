import json

from pipeline.config import preset
from pipeline.run.report.model_card import FILE, write_model_card
from tests.pipeline.run.report.test_about import summary


def write(tmp_path, **changes):
    """Returns what stands on the card, if there is one."""
    pushed = tmp_path / "serving" / "7"
    pushed.mkdir(parents=True, exist_ok=True)
    known = {
        **summary(preset("movielens"), "ml-1m"),
        "started": "2026-01-02T03:04:05+0000",
        "read_as": ["ratings.dat: separated by ::"],
        "counters": {"rows_train": 800, "repeats": 0},
        "metrics": {"rmse": 0.91234, "mae": None, "example_count": 12345.0},
        "bounds": {"max_rmse": 0.95},
        "baseline": {"rmse": 0.93},
        "slices": {
            "genre=War": {"example_count": 30.0, "rmse": 0.8, "mae": 0.7},
            "genre=Drama": {"example_count": 90.0, "rmse": 0.9},
        },
        "notes": ["3 rows repeat others"],
        "lineage": {"data_fingerprint": "abc", "code": {"trainer": "123"}},
        "versions": {"tfx": "1.21.0"},
        "pushed_model": str(pushed),
        **changes,
    }
    (tmp_path / "summary.json").write_text(json.dumps(known))
    write_model_card(str(tmp_path / "summary.json"))
    card = pushed / FILE
    return card.read_text() if card.exists() else None


def test_a_card_tells_data_measures_limits_and_the_way_to_make_it_again(tmp_path):
    card = write(tmp_path)
    assert card.startswith("# movielens, trained on ml-1m\n")
    for line in (
        "ml-1m: GroupLens allows research",
        "- ratings.dat: separated by ::",
        "- rows train: 800",
        "On 12,345 examples that it was not trained on.",
        "| RMSE in stars | 0.9123 | ≤ 0.95 | 0.9300 |",
        "| MAE in stars | none | none | none |",
        "3 rows repeat others.",
        "| genre=War | 30 | 0.8000 | 0.7000 |",
        "| genre=Drama | 90 | 0.9000 | none |",
        "It was measured on ratings of films",
        "python -m pipeline run movielens --dataset ml-1m --set preset=best",
        "- tfx 1.21.0",
        "- trainer: `123`",
    ):
        assert f"\n{line}" in card, card
    assert (
        "\n| slice | examples | RMSE in stars | MAE in stars |\n|---|---|---|---|\n| genre=Drama"
        in card
    )
    assert card.endswith("`\n") and "\n\n\n" not in card


def test_without_slices_or_a_push_there_is_no_table_or_no_card(tmp_path):
    assert "slice" not in write(tmp_path, slices={})
    assert write(tmp_path / "other", pushed_model=None) is None
