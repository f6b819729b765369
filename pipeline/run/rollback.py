"""The way back: the model that served before the one in use serves again."""

import json
import os
from typing import NamedTuple

from components.model_records.in_use import ServedModel, served_models
from components.model_records.record import RESTORES
from pipeline.run.history import latest_pushed
from pipeline.run.lock import locked
from pipeline.serve.signature import import_tensorflow
from transforms.base.errors import UserError


class RolledBack(NamedTuple):
    """What a rollback did, in versions of a serving folder.

    Attributes:
        replaced: What was in use before.
        restored: What was pushed before that, and serves again.
        version: The copy that is in use now.
    """

    replaced: str
    restored: str
    version: str


def roll_back(output_root: str, pipeline: str) -> RolledBack:
    """Makes a copy of what served before the model in use, as the newest version.

    Servers take the newest version, and the gate compares the next candidate with it. Nothing is
    removed, and the copy's record names what it restores, so that the next rollback goes one
    further back.

    Args:
        output_root: The folder for all results.
        pipeline: Whose model.

    Raises:
        UserError: There is no model, or none before it; or a run is at work there.
    """
    in_use = latest_pushed(output_root, pipeline)
    serving = os.path.dirname(in_use.folder)
    with locked(os.path.dirname(serving)):
        models = list(served_models(serving))
        replaced = models[0]
        before = [model for model in models if int(model.version) < int(_first(replaced))]
        if not before:
            raise UserError(
                f"{replaced.folder}: no model served before it; run the pipeline again for another"
            )
        record = {**before[0].origin(), RESTORES: _first(before[0])}
        # Here, as it takes seconds to import TFX, which brings TensorFlow.
        import_tensorflow()
        from components.model_records.put_model import put_model

        text = json.dumps(record, indent=2, sort_keys=True)
        folder = put_model(before[0].folder, text, serving)
    return RolledBack(replaced.version, record[RESTORES], os.path.basename(folder))


def _first(model: ServedModel) -> str:
    """Returns the version in which a model was pushed, be this one a copy of it or itself."""
    return str((model.record or {}).get(RESTORES, model.version))
