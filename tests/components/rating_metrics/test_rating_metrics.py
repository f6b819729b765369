import numpy as np
import pytest
from tensorflow_model_analysis.metrics import metric_types

from components.rating_metrics.metrics import ListMAE, ListRMSE, RatingCount
from transforms.vectorize_genres import GENRES


def evaluate(metric, users, model_name=""):
    """The metric by name over users, each given as stars, predictions and genres [ratings, 19]."""
    summed, derived = metric.computations(eval_config=None, model_names=[model_name])
    parts = [summed.combiner.create_accumulator() for _ in range(2)]
    for number, (stars, predicted, genres) in enumerate(users):
        predicted = np.array(predicted, np.float32)
        inputs = metric_types.StandardMetricInputs(
            labels=np.array(stars, np.float32),
            predictions={model_name: predicted} if model_name else predicted,
            features={"genres": np.ravel(genres)},
            example_weights=np.array([1.0]),
        )
        parts[number % 2] = summed.combiner.add_input(parts[number % 2], inputs)
    merged = summed.combiner.merge_accumulators(parts)
    found = derived.result(summed.combiner.extract_output(merged))
    assert found.keys() <= set(derived.keys)
    return {key.name: value for key, value in found.items()}


def drawn(lengths, padding=0):
    rng = np.random.default_rng(0)
    return [
        (
            rng.integers(1, 11, length) / 2,
            np.append(rng.uniform(0.5, 5, length), [0.0] * padding),
            # No rating of the last genre.
            (rng.random((length, len(GENRES))) < 0.3) & (np.arange(len(GENRES)) < 18),
        )
        for length in lengths
    ]


@pytest.mark.parametrize("model_name", ["", "baseline"])
def test_errors_equal_a_plain_count_overall_and_by_genre(model_name):
    users = drawn((1, 7, 30), padding=4)
    stars = np.concatenate([user[0] for user in users])
    predicted = np.concatenate([user[1][:-4] for user in users]).astype(np.float32)
    genres = np.concatenate([user[2] for user in users])
    errors = predicted.astype(float) - stars
    parts = {"": errors} | {f"@genre={g}": errors[genres[:, at]] for at, g in enumerate(GENRES)}
    for metric, value in (
        (ListRMSE("rmse"), lambda of: np.sqrt(np.mean(of**2))),
        (ListMAE("mae"), lambda of: np.mean(np.abs(of))),
        (RatingCount("example_count"), len),
    ):
        wanted = {f"{metric.name}{part}": value(of) for part, of in parts.items() if len(of)}
        assert len(wanted) == 19
        assert evaluate(metric, users, model_name) == pytest.approx(wanted, rel=1e-12)


def test_a_score_that_is_not_finite_spoils_the_whole_and_the_genres_that_it_has():
    genres = np.eye(2, len(GENRES), dtype=int)
    found = evaluate(ListRMSE(), [([3, 3], [np.nan, 4], genres), ([3], [3], genres[1:])])
    spoilt = {name for name, value in found.items() if np.isnan(value)}
    assert spoilt == {"rmse", f"rmse@genre={GENRES[0]}"}
    assert found[f"rmse@genre={GENRES[1]}"] == pytest.approx(np.sqrt(0.5))


def test_without_a_rating_there_is_no_error_and_no_genre():
    assert evaluate(RatingCount(), []) == {"example_count": 0}
    for metric in (ListRMSE(), ListMAE()):
        ((_, value),) = evaluate(metric, []).items()
        assert np.isnan(value)


def test_all_metrics_are_of_one_sum_for_each_model():
    sums = {
        metric.computations(eval_config=None, model_names=[model])[0]
        for metric in (ListRMSE(), ListMAE(), RatingCount())
        for model in ("candidate", "baseline")
    }
    assert len({computation.keys[0] for computation in sums}) == 2


@pytest.mark.parametrize(
    ("predicted", "genres", "message"),
    [([3.0], 38, "rated 1 of 2 ratings"), ([3.0, 4.0], 37, "cannot reshape")],
)
def test_lists_of_another_length_are_refused(predicted, genres, message):
    with pytest.raises(ValueError, match=message):
        evaluate(ListRMSE(), [([3, 4], predicted, np.zeros(genres))])
