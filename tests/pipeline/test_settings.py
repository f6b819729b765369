import pytest

from pipeline.config import preset
from pipeline.pipelines.registry import pipelines
from pipeline.settings import apply_settings, describe, setting_values
from transforms.base.errors import UserError


@pytest.mark.parametrize(
    "config",
    [preset(p.name, name) for p in pipelines().values() for name in p.presets],
    ids=lambda c: c.preset,
)
def test_every_setting_of_a_preset_survives_its_text(config):
    def text(value):
        if isinstance(value, tuple):
            return ",".join(map(str, value))
        return "none" if value is None else str(value)

    values = setting_values(config)
    pairs = [f"{name}={text(value)}" for name, value in values.items()]
    assert apply_settings(config, pairs) == config


def test_a_name_that_two_parts_share_is_set_in_both():
    config = apply_settings(preset("ncf", "ncf_2018"), ["seed=7"])
    assert config.data.seed == config.trainer.seed == 7


def test_widths_and_their_regularisation_are_validated_together():
    pairs = ["layers=32,8", "mlp_regularization=0.1,0"]
    config = apply_settings(preset("ncf", "ncf_2018"), pairs)
    assert config.trainer.layers == (32, 8) and config.trainer.mlp_regularization == (0.1, 0.0)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("bath_size=3", "ncf has no setting 'bath_size'; did you mean batch_size?"),
        ("batch_size", "must be name=value"),
        ("batch_size=many", "batch_size='many': must be a whole number"),
        ("learning_rate=fast", "learning_rate='fast': must be a number"),
        ("xla=maybe", "xla='maybe': must be true or false"),
        ("layers=64,x", "layers='x': must be a whole number"),
        ("layers=63,8", "the first one even"),
        ("train_epochs=0", "train_epochs=0: must be at least 1"),
        ("holdout=tests", "did you mean test?"),
        ("min_hit_rate=1.5", "min_hit_rate=1.5: must be above 0 and below 1"),
        ("tune_trials=1", "tune_trials=1: must be at least 2"),
        ("max_regression=-1", "max_regression=-1.0: must be at least 0"),
    ],
)
def test_a_mistake_names_the_setting_the_value_and_the_rule(pair, message):
    with pytest.raises(UserError) as caught:
        apply_settings(preset("ncf", "ncf_2018"), [pair])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_census_gate_that_any_model_passes_is_refused():
    with pytest.raises(UserError, match=r"min_accuracy=0\.76: must be above 0\.764"):
        apply_settings(preset("census", "best"), ["min_accuracy=0.76"])


def test_the_2018_preset_has_the_2018_defaults():
    trainer = preset("ncf", "ncf_2018").trainer
    data = preset("ncf", "ncf_2018").data
    assert (trainer.train_epochs, trainer.batch_size, trainer.num_neg) == (2, 256, 4)
    assert (trainer.num_factors, trainer.layers) == (8, (64, 32, 16, 8))
    assert (trainer.learning_rate, trainer.mf_regularization) == (0.001, 0)
    assert (data.min_ratings, data.eval_negatives, data.seed) == (20, 100, 0)


@pytest.mark.parametrize("pipeline", pipelines())
def test_every_setting_has_a_meaning_and_a_rule_that_its_text_has_to_keep(pipeline):
    config = preset(pipeline)
    meanings = describe(config)
    assert meanings.keys() == setting_values(config).keys()
    for name, meaning in meanings.items():
        assert meaning.what.endswith(".") and "\n" not in meaning.what
        # No other setting may be so, and this one may not be a word.
        broken = "-1" if name != "stop_threshold" else "far"
        with pytest.raises(UserError) as caught:
            apply_settings(config, [f"{name}={broken}"])
        said, _, rule = str(caught.value).partition(": must be ")
        assert said.startswith(f"{name}=") and rule and rule in meaning.rule


def test_a_meaning_is_that_of_the_class_that_knows_best_and_of_all_parts():
    ncf, census = (describe(preset(pipeline)) for pipeline in ("ncf", "census"))
    assert ncf["stop_threshold"].what.startswith("Stop once HR@10 on the eval split")
    assert census["stop_threshold"].what.startswith("Stop once the accuracy on the eval split")
    assert ncf["train_epochs"] == ("Passes over the training examples.", "at least 1")
    assert "negatives" in ncf["seed"].what and "weights" in ncf["seed"].what
    assert ncf["stop_threshold"].rule == "a number or none"
    assert census["min_auc"].rule == "above 0.5, the AUC of chance, and below 1"
