"""The command line: `python -m benchmarks`."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence

from benchmarks.machine import machine_facts, yardstick
from benchmarks.measure import measure
from benchmarks.report import (
    MODEL_TABLES,
    Row,
    as_results,
    insert_table,
    make_rows,
    render,
    render_models,
)
from benchmarks.tasks import REAL, SECTIONS, SIZES, Data, tasks_of
from transforms.base.errors import UserError
from transforms.base.settings import OneOf

_HERE = os.path.dirname(__file__)
_RESULTS = os.path.join(_HERE, "results.json")
_METRICS = os.path.join(_HERE, os.pardir, "docs", "metrics.md")
_README = os.path.join(_HERE, "README.md")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and returns the exit code; a mistake is one line."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except UserError as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}; see --cache", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures speed and memory on this machine. A whole run writes results.json "
        "and the table in README.md, both beside this program; a part of one prints its table. "
        "With real data the tables of models in docs/metrics.md are written, too.",
    )
    parser.add_argument(
        "--only", default=",".join(SECTIONS), help="sections to run (default: %(default)s)"
    )
    parser.add_argument(
        "--sizes", default=",".join(SIZES), help="data sets to run them on (default: %(default)s)"
    )
    parser.add_argument(
        "--data-root",
        help=f"folder that holds {' and '.join(REAL)}; default: ratings made up to their size",
    )
    parser.add_argument(
        "--cache",
        default=os.path.join("build", "benchmarks"),
        help="folder for made-up ratings, logs and scratch files (default: %(default)s)",
    )
    return parser


def _run(options: argparse.Namespace) -> None:
    sections = _chosen("only", options.only, tuple(SECTIONS))
    sizes = _chosen("sizes", options.sizes, SIZES)
    cache = os.path.abspath(options.cache)
    os.makedirs(cache, exist_ok=True)
    machine = machine_facts()
    _say("yardstick")
    machine["before"] = yardstick()
    rows: list[Row] = []
    for size in sizes:
        data = _data(size, options.data_root, cache)
        for section in sections:
            rows += _measure_section(section, size, data, cache)
    machine["after"] = yardstick()
    results = as_results(rows, machine)
    print(render(results))
    for section in MODEL_TABLES:
        if models := render_models(results, section):
            print(models)
            _insert(_METRICS, models, section)
    if sections == list(SECTIONS) and sizes == list(SIZES):
        _publish(results)


def _chosen(option: str, text: str, known: Sequence[str]) -> list[str]:
    """Returns those of `known` that `text` names, in the order of `known`."""
    names = text.split(",")
    for name in names:
        OneOf(*known).check(f"--{option}", name)
    return [name for name in known if name in names]


def _measure_section(section: str, size: str, data: Data, cache: str) -> Iterator[Row]:
    for task in tasks_of(section, size, data):
        timing, peak = measure(
            f"{task.what}, {size}",
            f"benchmarks.{task.function}",
            task.arguments,
            cache,
            _say,
        )
        assert timing is not None, task.function
        made = make_rows(section, size, task, timing, peak)
        _say(f"  {task.what + ', ' + size:<50} {made[0].seconds:8.2f} s {peak:8.0f} MiB")
        yield from made


def _data(size: str, data_root: str | None, cache: str) -> Data:
    """Returns a data set's files, made if they are not there yet."""
    if size not in REAL:
        data_root = None
    home = os.path.join(cache, "real" if data_root else "made-up")
    os.makedirs(home, exist_ok=True)
    folder = os.path.join(home, size)
    if data_root:
        from pipeline.datasets.locate import locate
        from pipeline.datasets.movielens import MOVIELENS

        folder = locate(MOVIELENS, size, data_root=data_root, work_dir=home, allow_download=False)
    elif not os.path.isdir(folder):
        _say(f"making up ratings: {size}")
        arguments = {"size": size, "folder": folder}
        measure(f"ratings, {size}", "benchmarks.ratings:write_ratings", arguments, cache, _say)
    histories = os.path.join(home, f"{size}.npz")
    if not os.path.exists(histories):
        arguments = {"folder": folder, "path": histories}
        measure(f"histories, {size}", "benchmarks.histories:save_histories", arguments, cache, _say)
    return Data(os.path.abspath(folder), histories, real=bool(data_root))


def _publish(results: dict) -> None:
    _insert(_README, render(results), "speed")
    with open(_RESULTS, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=2)
        file.write("\n")
    _say(f"written: {os.path.relpath(_RESULTS)}")


def _insert(path: str, table: str, name: str) -> None:
    with open(path, encoding="utf-8") as file:
        text = insert_table(file.read(), table, name, path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    _say(f"written: {os.path.relpath(path)}")


def _say(line: str) -> None:
    print(line, flush=True)
