"""Lets TFX's cache see which data were accepted before."""

from tfx.dsl.components.base import base_driver
from tfx.orchestration.portable import base_driver as portable_base_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2

from components.data_gate.accepted import AcceptedStatistics, read_statistics


class DataGateDriver(base_driver.BaseDriver, portable_base_driver.BaseDriver):
    """Puts the name of the statistics accepted before these among the execution properties.

    An engine without drivers must not take a DataGate's outputs from its cache at all.
    """

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns the one property, `reference`, which nothing but the cache reads."""
        properties = execution_info.exec_properties
        accepted = AcceptedStatistics(properties["accepted_root"], properties["dataset"])
        (statistics,) = execution_info.input_dict["statistics"]
        output = driver_output_pb2.DriverOutput()
        name = accepted.before(read_statistics(statistics))
        output.exec_properties["reference"].string_value = name
        return output
