"""Runs the Beam pipeline behind BulkRecommender."""

import os
from importlib import import_module

import apache_beam as beam
import tensorflow as tf
from absl import logging
from tfx.components.util import model_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.utils import path_utils

from components.artifacts import Artifacts, Properties
from components.bulk_recommender.recommend import ReadTouched, Recommend, recommended
from components.code import check_code
from transforms.remap_ids import GroupByUser

_PREFIX = "recommendations"
# Of packed Examples, in one element of the pipeline: what bounds the memory of a worker.
_BLOCK_BYTES = 1 << 20


class BulkRecommenderExecutor(BaseBeamExecutor):
    """The executor of BulkRecommender."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Writes the recommendations, or nothing for a model that is not blessed.

        Args:
            input_dict: `examples`, `model` and `model_blessing`.
            output_dict: `inference_result`.
            exec_properties: As `BulkRecommender` documents them.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        check_code(exec_properties["code"])
        (examples,), (model,), (blessing,), (output,) = (
            *(input_dict[key] for key in ("examples", "model", "model_blessing")),
            output_dict["inference_result"],
        )
        if not model_utils.is_model_blessed(blessing):
            logging.info("nothing is recommended: the model is not blessed")
            return
        interactions = import_module(exec_properties["interactions"])
        files = interactions.files_of(examples.uri)
        size = sum(tf.io.gfile.stat(file).length for file in files)
        num_blocks = -(-size // _BLOCK_BYTES)
        schema = recommended(interactions.id_type(files))
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> beam.Create(files)
                | "Spread" >> beam.Reshuffle()
                | "ReadTouched" >> beam.ParDo(ReadTouched(exec_properties["interactions"]))
                | "GroupByUser" >> GroupByUser(["user_id", "user", "item"], num_blocks)
                | "Recommend"
                >> beam.ParDo(
                    Recommend(path_utils.serving_model_path(model.uri), exec_properties["top"])
                )
                | "Write"
                >> beam.io.WriteToParquetBatched(
                    os.path.join(output.uri, _PREFIX), schema, file_name_suffix=".parquet"
                )
            )
