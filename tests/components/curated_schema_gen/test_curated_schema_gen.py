import os

import pytest
from tfx.types import standard_artifacts

from components.curated_schema_gen.component import SOURCE, CuratedSchemaGen
from transforms.base.errors import UserError

PACKAGE = "components.wide_deep_trainer.census"


@pytest.fixture
def schema(tmp_path):
    artifact = standard_artifacts.Schema()
    artifact.uri = str(tmp_path)
    return artifact


def test_the_schema_is_written_and_tells_where_it_is_kept(schema):
    CuratedSchemaGen.test_call(schema=schema, package=PACKAGE, file="schema.pbtxt", digest="")
    assert os.listdir(schema.uri) == ["schema.pbtxt"]
    assert schema.get_string_custom_property(SOURCE) == f"{PACKAGE}:schema.pbtxt"


def test_another_schema_than_was_compiled_is_refused(schema):
    with pytest.raises(UserError, match=f"^{PACKAGE}/schema.pbtxt: differs from the one that"):
        CuratedSchemaGen.test_call(schema=schema, package=PACKAGE, file="schema.pbtxt", digest="0")
