"""The BulkRecommender component."""

from tfx import types
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.bulk_recommender.executor import BulkRecommenderExecutor


class BulkRecommenderSpec(ComponentSpec):
    """What goes in and out of a BulkRecommender."""

    PARAMETERS = {
        "top": ExecutionParameter(type=int),
        "interactions": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    OUTPUTS = {"inference_result": ChannelParameter(type=standard_artifacts.InferenceResult)}


class BulkRecommender(BaseBeamComponent):
    """Writes each user's best items that the user has not had, if the model is blessed.

    It is what `tfx.components.BulkInferrer` is for models that score an Example at a time. Make it
    depend on the Pusher, so that nobody is recommended what no server would.

    Component `outputs` contains:
     - `inference_result`: Channel of type `standard_artifacts.InferenceResult` with Parquet files
       `recommendations-SSSSS-of-NNNNN.parquet`, or none after a refusal.
    """

    SPEC_CLASS = BulkRecommenderSpec
    EXECUTOR_SPEC = BeamExecutorSpec(BulkRecommenderExecutor)

    def __init__(
        self,
        *,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        top: int,
        interactions: str,
        code: str,
    ):
        """Builds the component.

        Args:
            examples: Whose items were touched, in both splits.
            model: With the signature `recommend`.
            model_blessing: The Evaluator's.
            top: How many items a user is recommended, or fewer where no more are left.
            interactions: Dotted name of the module that reads users' interactions from Examples.
            code: Fingerprint of this component's sources, for TFX's cache.
        """
        super().__init__(
            BulkRecommenderSpec(
                examples=examples,
                model=model,
                model_blessing=model_blessing,
                top=top,
                interactions=interactions,
                code=code,
                inference_result=types.Channel(type=standard_artifacts.InferenceResult),
            )
        )
