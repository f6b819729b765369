"""The base of components that make tf.Examples of files in columns."""

import json

from google.protobuf import any_pb2, wrappers_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.proto import example_gen_pb2

from components.example_gen.driver import ColumnarDriver
from components.example_gen.executor import SPLITS


class ColumnarExampleGen(FileBasedExampleGen):
    """A FileBasedExampleGen whose executor, a ColumnarExecutor, makes the splits train and eval.

    The driver finds spans and versions and fingerprints the files; all else is the executor's.
    """

    DRIVER_CLASS = ColumnarDriver

    def __init__(
        self,
        input_base: str,
        input_pattern: str,
        settings: dict[str, str],
        custom_executor_spec: BeamExecutorSpec | None = None,
    ):
        """Constructs a ColumnarExampleGen.

        Args:
            input_base: The folder of the data set, or its one file.
            input_pattern: A glob of the files in the folder; `{SPAN}` and `{VERSION}` are TFX's.
            settings: What the executor's `build` is given: "config", its settings as JSON, and
                "code". It is part of TFX's cache key.
            custom_executor_spec: Takes the place of the class's `EXECUTOR_SPEC`.
        """
        packed = any_pb2.Any()
        packed.Pack(wrappers_pb2.StringValue(value=json.dumps(settings, sort_keys=True)))
        super().__init__(
            input_base=input_base,
            input_config=example_gen_pb2.Input(
                splits=[example_gen_pb2.Input.Split(name="input", pattern=input_pattern)]
            ),
            # The executor splits; TFX takes the names from here and insists on a bucket each.
            output_config=example_gen_pb2.Output(
                split_config=example_gen_pb2.SplitConfig(
                    splits=[
                        example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=1)
                        for name in SPLITS
                    ]
                )
            ),
            custom_config=example_gen_pb2.CustomConfig(custom_config=packed),
            custom_executor_spec=custom_executor_spec,
        )
