"""Pushes a blessed model with its record."""

import os

from absl import logging
from tfx.components.pusher import executor
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, proto_utils

from components.artifacts import Artifacts, Properties
from components.model_records.in_use import model_identity, model_in_use
from components.model_records.put_model import put_model
from components.model_records.record import RECORD_FILE


class PusherExecutor(executor.Executor):
    """TFX's executor, but for what lies in the serving folder after it, or after a kill in it.

    It is put there with its record, as `put_model` does. A model that is in use already is not
    pushed again.
    """

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Pushes the model if it was blessed, with the record that the blessing holds."""
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = pusher_pb2.PushDestination()
        key = standard_component_specs.PUSH_DESTINATION_KEY
        proto_utils.json_to_proto(exec_properties[key], destination)
        blessing = artifact_utils.get_single_instance(
            input_dict[standard_component_specs.MODEL_BLESSING_KEY]
        )
        model = self.GetModelPath(input_dict)
        folder = _push(model, blessing.uri, destination.filesystem.base_directory)
        io_utils.copy_dir(model, pushed.uri)
        self._MarkPushed(pushed, pushed_destination=folder, pushed_version=os.path.basename(folder))


def _push(model: str, blessing: str, serving_dir: str) -> str:
    """Returns the model's folder among the served ones, where it is after this."""
    in_use = model_in_use(serving_dir)
    if in_use and in_use.identity == model_identity(model):
        logging.info("%s is this model already", in_use.folder)
        return in_use.folder
    with fileio.open(os.path.join(blessing, RECORD_FILE)) as file:
        folder = put_model(model, file.read(), serving_dir)
    logging.info("pushed to %s", folder)
    return folder
