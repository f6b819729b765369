"""Writes the goldens anew: `make goldens`."""

import os

from tests.kubeflow.compiled import ENGINES, PIPELINES, compile_pipeline, golden_text

FOLDER = os.path.join(os.path.dirname(__file__), "goldens")


def golden_path(pipeline, engine):
    return os.path.join(FOLDER, f"{pipeline}.{engine}.yaml")


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    for pipeline in PIPELINES:
        for engine in ENGINES:
            with open(golden_path(pipeline, engine), "w", encoding="utf-8") as file:
                file.write(golden_text(compile_pipeline(pipeline, engine)))
