"""The MovieLens ExampleGen component."""

from tfx.dsl.components.base.executor_spec import BeamExecutorSpec

from components.example_gen.component import ColumnarExampleGen
from components.movielens_gen.config import LeaveOneOutConfig, RatingSplitConfig
from components.movielens_gen.executor import LeaveOneOutExecutor, RatingSplitExecutor
from transforms.base.settings import to_json

_EXECUTORS = {LeaveOneOutConfig: LeaveOneOutExecutor, RatingSplitConfig: RatingSplitExecutor}


class MovieLensExampleGen(ColumnarExampleGen):
    """Makes tf.Examples of MovieLens ratings; the type of `config` says of which form.

    `LeaveOneOutConfig`: an Example per user, with raw ids.

    | split | user_id | item_id | label | history |
    |---|---|---|---|---|
    | train | int64[1] | int64[n]: in order of time, to the held-out item | float[n]: ones | |
    | eval | int64[1] | int64[1 + m]: the held-out one, negatives | float[1 + m]: 1, 0 | int64[n] |

    With `string_ids` the ids are bytes and not int64.

    `RatingSplitConfig`: an Example per user, with the n ratings that the split has of the user, in
    order of time, and the genres of their movies:

    | user_id | item_id | timestamp | genres | rating |
    |---|---|---|---|---|
    | int64[n]: equal ones | int64[n] | int64[n]: seconds | int64[19 n]: 0 or 1 | float[n]: stars |

    The user's id is there with each rating, and genres are not packed, so that statistics of a
    feature are those of ratings.

    Component `outputs` contains:
     - `examples`: Channel of type `standard_artifacts.Examples` with the splits train and eval.
       Its artifact has the executor's COUNTERS as int custom properties. For the first form
       `rows` = `kept_rows` + `repeats` + `low_rated` + `dropped_rows` (of the `dropped_users`) +
       `quarantined`, beside `users`, of which `evaluated_users`, of which `ranked_users` have
       enough negatives, and `items`; of a movies file, `untitled_items` that it lacks and
       `unrated_movies` that nobody rated; for the second `rows` = `rows_train` + `rows_eval` +
       `rows_left_out` + `unmatched` + `quarantined`, beside `repeats`, which are among them. The
       quarantined rows are in its folder, in `Quarantine/bad_rows.jsonl`.
    """

    EXECUTOR_SPEC = BeamExecutorSpec(LeaveOneOutExecutor)

    def __init__(
        self,
        input_base: str,
        config: LeaveOneOutConfig | RatingSplitConfig,
        code: str = "",
        input_pattern: str = "*",
    ):
        """Constructs a MovieLensExampleGen.

        Args:
            input_base: The folder of the data set, such as one that `ml-1m.zip` unpacks to, or its
                file of ratings, beside which movies may be.
            config: What to make.
            code: A fingerprint of the sources, which makes TFX's cache see that they changed.
            input_pattern: The files in it; `*` has those that are called as ratings are, and
                `{SPAN}` and `{VERSION}` are TFX's.
        """
        super().__init__(
            input_base,
            input_pattern,
            {"config": to_json(config), "code": code},
            BeamExecutorSpec(_EXECUTORS[type(config)]),
        )
