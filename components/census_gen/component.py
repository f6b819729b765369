"""The census ExampleGen component."""

from tfx.dsl.components.base import executor_spec

from components.census_gen.config import CensusConfig
from components.census_gen.executor import Executor
from components.example_gen.component import ColumnarExampleGen
from transforms.base.settings import to_json


class CensusExampleGen(ColumnarExampleGen):
    """Makes an Example of each row of the UCI Adult files.

    The features have the names and types of `transforms.parsing.read_census.CENSUS_COLUMNS`, one
    value each: int64 for numbers and the label, bytes for categories.

    Component `outputs` contains:
     - `examples`: Channel of type `standard_artifacts.Examples` with the splits train and eval.
       Its artifact has the int custom properties `rows` = `rows_train` + `rows_eval` +
       `rows_left_out` + `quarantined`. The quarantined rows are in its folder, in
       `Quarantine/bad_rows.jsonl`.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        input_base: str,
        config: CensusConfig,
        code: str = "",
        input_pattern: str = "adult.*",
    ):
        """Constructs a CensusExampleGen.

        Args:
            input_base: The folder that holds `adult.data` and `adult.test`, or `adult.csv` with the
                rows of both.
            config: Which rows make the splits.
            code: A fingerprint of the sources, which makes TFX's cache see that they changed.
            input_pattern: The files in it; `{SPAN}` and `{VERSION}` are TFX's.
        """
        super().__init__(input_base, input_pattern, {"config": to_json(config), "code": code})
