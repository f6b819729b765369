"""The driver of our ExampleGens."""

from collections.abc import Iterable

from tfx.components.example_gen import driver
from tfx.proto import example_gen_pb2, range_config_pb2

from components.example_gen.input_processor import ContentsInputProcessor


class ColumnarDriver(driver.FileBasedDriver):
    """TFX's driver, which sees by their contents that files have changed."""

    def get_input_processor(
        self,
        splits: Iterable[example_gen_pb2.Input.Split],
        range_config: range_config_pb2.RangeConfig | None = None,
        input_base_uri: str | None = None,
    ) -> ContentsInputProcessor:
        """Returns what finds and fingerprints the files."""
        return ContentsInputProcessor(input_base_uri or "", splits, range_config)
