"""DataGate: data that do not fit stop the run before anything is trained on them."""

from tfx import types
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.experimental import simple_artifacts

from components.data_gate.driver import DataGateDriver
from components.data_gate.executor import DataGateExecutor


class DataGateSpec(ComponentSpec):
    """What goes in and out of a DataGate."""

    PARAMETERS = {
        "dataset": ExecutionParameter(type=str),
        "accepted_root": ExecutionParameter(type=str),
        "accept_drift": ExecutionParameter(type=int),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
    }
    OUTPUTS = {"accepted": ChannelParameter(type=simple_artifacts.Statistics)}


class DataGate(BaseComponent):
    """Lets the run go on only when the data fit the schema and resemble those accepted before.

    ExampleValidator reports and never stops a run, and TFX gives it no earlier statistics, so that
    the schema's drift and skew comparators would go unread. Make what must not run on refused
    data depend on this component with `add_upstream_node`.

    Component `outputs` contains:
     - `accepted`: Channel of type `simple_artifacts.Statistics` with the statistics of all splits
       in one file, `FeatureStats.pb`. What later data are compared with is not that, but the copy
       in `accepted_root`.
    """

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = ExecutorClassSpec(DataGateExecutor)
    DRIVER_CLASS = DataGateDriver

    def __init__(
        self,
        *,
        anomalies: types.BaseChannel,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        dataset: str,
        accepted_root: str,
        accept_drift: int,
        code: str,
    ):
        """Builds the component.

        Args:
            anomalies: ExampleValidator's findings.
            statistics: What they were found in.
            schema: Its drift comparators bound the distance of each split from the one accepted
                before, its skew comparators that of train from eval.
            dataset: The data set's name: only data of one name are compared.
            accepted_root: Where accepted statistics are kept.
            accept_drift: 1 compares with nothing, not even train with eval, and what passes is what
                later data must resemble, as the first data are otherwise.
            code: Fingerprint of this component's sources, for TFX's cache.
        """
        super().__init__(
            DataGateSpec(
                anomalies=anomalies,
                statistics=statistics,
                schema=schema,
                dataset=dataset,
                accepted_root=accepted_root,
                accept_drift=accept_drift,
                code=code,
                accepted=types.Channel(type=simple_artifacts.Statistics),
            )
        )
