import click
import pytest

from kubeflow.tfx_cli.tfx_kubeflow_parameters import typed

SPEC = {
    "root": {
        "inputDefinitions": {
            "parameters": {
                "epochs": {"parameterType": "NUMBER_INTEGER"},
                "rate": {"parameterType": "NUMBER_DOUBLE"},
                "root": {"parameterType": "STRING"},
                "xla": {"parameterType": "BOOLEAN"},
                "layers": {"parameterType": "LIST"},
                "more": {"parameterType": "STRUCT"},
            }
        }
    }
}


@pytest.mark.parametrize("spec", [SPEC, {"pipeline_spec": SPEC, "platform_spec": {}}])
def test_each_value_gets_the_type_that_the_pipeline_declares(spec):
    texts = {"epochs": "-3", "rate": "1e-3", "root": "7", "xla": "true", "layers": "[1]"}
    values = typed({**texts, "more": '{"a": 1}'}, spec)
    assert [repr(value) for value in values.values()] == [
        *("-3", "0.001", "'7'", "True", "[1]", "{'a': 1}")
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epochs=3.0", "must be a whole number"),
        ("epochs=true", "must be a whole number"),
        ("epochs=", "must be a whole number"),
        ("rate=NaN", "must be a number"),
        ("rate=fast", "must be a number"),
        ("xla=1", "must be true or false"),
        ("layers=1,2", "must be a JSON list"),
        ("more=[]", "must be a JSON object"),
        ("epoch=3", "no run-time parameter 'epoch'; there are: epochs, layers, more, rate"),
    ],
)
def test_what_is_not_of_its_type_or_unknown_is_refused(text, told):
    name, _, value = text.partition("=")
    with pytest.raises(click.ClickException, match=told):
        typed({name: value}, SPEC)


def test_a_pipeline_without_parameters_takes_none():
    assert typed({}, {"root": {}}) == {}
    with pytest.raises(click.ClickException, match="there are: none"):
        typed({"a": "1"}, {"root": {}})
