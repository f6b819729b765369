from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.wide_deep_trainer.ratings import preprocessing as rating_preprocessing
from transforms.parsing.rating_scale import FEWEST_STARS, LATEST_SECOND, MOST_STARS

SCHEMA = rating_preprocessing.__file__.replace("preprocessing.py", "schema.pbtxt")


def test_the_gate_lets_pass_what_the_reader_does():
    with open(SCHEMA, encoding="utf-8") as file:
        schema = text_format.Parse(file.read(), schema_pb2.Schema())
    features = {feature.name: feature for feature in schema.feature}
    stars, seconds = features["rating"].float_domain, features["timestamp"].int_domain
    assert (stars.min, stars.max) == (FEWEST_STARS, MOST_STARS)
    assert (seconds.min, seconds.max) == (0, LATEST_SECOND)
