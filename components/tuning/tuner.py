"""Random search with keras-tuner, whose trials are runs of the trainers' own epoch loop."""

import dataclasses
import gc
import json
import os
import random
from collections.abc import Callable
from typing import Any

import keras_tuner
import tensorflow as tf
import tf_keras as keras
from absl import logging
from keras_tuner.engine import base_tuner
from keras_tuner.engine import trial as trials
from keras_tuner.errors import FailedTrialError, FatalError
from keras_tuner.oracles import RandomSearchOracle
from tfx import v1 as tfx

from components.training.checkpoints import Checkpoints
from components.training.loop import (
    HISTORY_FILE,
    DivergedError,
    Fit,
    Goal,
    checkpoint_dir,
    run_loop,
)
from components.training.train import Setup
from transforms.base.digest import digest
from transforms.base.errors import UserError
from transforms.base.settings import from_json, override

# Of the two settings drawn, either may come out as it was: a space that is not exhausted may need
# many draws.
_DRAWS = 100


class _LocalSearch(RandomSearchOracle):
    """Begins with the space's defaults, then draws two settings of the best trial anew.

    The presets are good already, and few draws of all settings at once come near them. No trial
    has the settings of another; where 100 draws find none that are new, the search ends.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of a trial, as keras-tuner's oracles do."""
        if not self.trials:
            values = dict(self.hyperparameters.values)
            return {"status": trials.TrialStatus.RUNNING, "values": values}
        best = self.get_best_trials()[0].hyperparameters.values
        for _ in range(_DRAWS):
            drawn = super().populate_space(trial_id)["values"]
            if drawn is None:
                break
            changed = random.Random(self._seed_state).sample(sorted(best), min(2, len(best)))
            values = {**best, **{name: drawn[name] for name in changed}}
            if not self._duplicate(values):
                return {"status": trials.TrialStatus.RUNNING, "values": values}
        logging.info(
            "no settings near the best are left to try: the search ends after %d of %d trials",
            len(self.trials),
            self.max_trials,
        )
        return {"status": trials.TrialStatus.STOPPED, "values": None}


class LoopTuner(base_tuner.BaseTuner):
    """Tries settings of a trainer, each with a whole training.

    What a trial did is kept whole in a folder that depends, as `checkpoint_dir` says, on settings,
    source and input, and beyond that on the trial's settings. The search itself is a function of
    the seed. So one that was killed is run again and finds there what its trials did: finished
    ones are not trained again, and the last goes on after its last whole epoch. keras-tuner's own
    files, which are not written whole, are of no use to that and go to TFX's temporary folder.

    Attributes:
        kept: The folder with what the trials did; to be removed when the result is stored.
    """

    def __init__(
        self,
        fn_args: tfx.components.FnArgs,
        setup: Setup[Any],
        fit: Callable[[Setup[Any]], Fit],
        space: keras_tuner.HyperParameters,
        goal: Goal,
    ):
        """Begins a search.

        Args:
            fn_args: TFX's. `custom_config` holds "config", the trainer's settings as JSON,
                "tune_trials", "code" and "checkpoint_root", which must not be empty here.
            setup: The trainer's settings, and where to train.
            fit: Returns a model that trains with the settings of such a setup.
            space: Settings by name, their values in `setup` being the defaults.
            goal: What to compare.
        """
        custom = fn_args.custom_config
        self.kept = f"{checkpoint_dir(fn_args)}-trials"
        self._text = custom["config"]
        self._setup, self._fit, self._goal = setup, fit, goal
        count = custom["tune_trials"]
        oracle = _LocalSearch(
            keras_tuner.Objective(goal.metric, "max" if goal.higher_is_better else "min"),
            max_trials=count,
            # 0 would stand for any seed.
            seed=setup.config.seed + 1,
            hyperparameters=space,
            max_consecutive_failed_trials=count + 1,
        )
        oracle.verbose = 0
        super().__init__(
            oracle, directory=fn_args.working_dir, project_name="keras_tuner", overwrite=True
        )

    def run_trial(self, trial: trials.Trial) -> dict[str, float]:
        """Returns the metric that the trial's settings reach after the last epoch.

        Raises:
            FailedTrialError: Training diverged; the search goes on.
            FatalError: Anything else went wrong.
        """
        values = trial.hyperparameters.values
        try:
            last = self._last_epoch(override(self._text, values, values))
        except DivergedError as error:
            raise FailedTrialError(str(error)) from error
        except Exception as error:
            raise FatalError(str(error)) from error
        return {self._goal.metric: last[self._goal.metric]}

    def on_trial_end(self, trial: trials.Trial) -> None:
        """Ends a trial and logs what it reached."""
        super().on_trial_end(trial)
        oracle, ended = self.oracle, self.oracle.get_trial(trial.trial_id)
        reached = "diverged" if ended.score is None else f"{ended.score:.4f}"
        best = oracle.get_best_trials()[0].score
        logging.info(
            "trial %d of %d: %s %s%s",
            len(oracle.end_order),
            oracle.max_trials,
            oracle.objective.name,
            reached,
            "" if best is None else f", best {best:.4f}",
        )

    def on_search_end(self) -> None:
        """Raises UserError if no trial came to an end."""
        if self.oracle.get_best_trials()[0].score is None:
            raise UserError(
                f"tune_trials={self.oracle.max_trials}: training diverged in every trial; "
                "lower the learning rate"
            )

    def _last_epoch(self, text: str) -> dict[str, float]:
        """Returns the last epoch of a training with the settings that `text` is the JSON of."""
        folder = os.path.join(self.kept, digest(text.encode()))
        history = os.path.join(folder, HISTORY_FILE)
        if tf.io.gfile.exists(history):
            with tf.io.gfile.GFile(history) as file:
                return json.loads(file.read())["epochs"][-1]
        config = dataclasses.replace(
            from_json(type(self._setup.config), text),
            epochs_between_evals=self._setup.config.train_epochs,
            stop_threshold=None,
            profile=False,
        )
        # The model before holds on to itself through its compiled graphs.
        keras.backend.clear_session()
        gc.collect()
        checkpoints = Checkpoints(os.path.join(folder, "checkpoints"))
        done = run_loop(
            config,
            strategy=self._setup.strategy,
            fit=self._fit(self._setup._replace(config=config)),
            goal=self._goal,
            checkpoints=checkpoints,
            log_dir=folder,
        )
        checkpoints.remove()
        return done.epochs[-1]
