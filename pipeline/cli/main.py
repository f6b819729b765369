"""The command line: `python -m pipeline`.

Parsing, help and mistakes need no TensorFlow; what runs imports it.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from pipeline.cli import completion
from pipeline.cli.arguments import add_output_root, add_pipeline, add_set, complete
from pipeline.cli.parser import Parser, add_command
from pipeline.cli.settings import settings_lines, terminal_width
from pipeline.cli.submit import add_submit_command
from pipeline.cli.use import add_use_commands
from pipeline.config import preset
from pipeline.exit_code import ExitCode, outcome_of
from pipeline.pipelines.registry import definition, pipeline_of, pipelines
from pipeline.settings import configure
from pipeline.version import VERSION
from transforms.base.errors import UserError
from transforms.base.settings import check

_EXIT_CODES = (
    "exit codes: 0 pushed, 1 a fault, 2 a mistake in a setting or the input, 3 refused by the "
    "model gate, 4 refused by the data gate"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code; a user's mistake is one line, no traceback."""
    try:
        parser = _parser()
        completion.answer_shell(parser)
        options = parser.parse_args(arguments)
        code = int(options.command(options))
        sys.stdout.flush()
        return code
    except UserError as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return int(outcome_of(mistake))
    except KeyboardInterrupt:
        print("interrupted; run again to go on from the last finished component", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output, such as head, has had enough. Python flushes it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.BROKEN_PIPE)


def _parser() -> Parser:
    some = next(iter(pipelines()))
    parser = Parser(
        prog="python -m pipeline",
        description="Recommendation and tabular classification pipelines on TFX.",
        epilog=f"example: python -m pipeline run {some}; {_EXIT_CODES}",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = add_command(
        commands,
        "run",
        "run a pipeline on this machine, from raw data to a pushed model",
        f"python -m pipeline run {some} --dataset mine --set train_epochs=4",
        "It ends with a verdict, and leaves summary.json and report.html.",
    )
    add_pipeline(run)
    dataset = run.add_argument(
        "--dataset",
        metavar="NAME",
        help="a known data set, or a folder of your own in the data root; default: the embedded "
        "sample, or real data with --data-root",
    )
    complete(dataset, completion.datasets)
    run.add_argument(
        "--data-root", metavar="FOLDER", help="folder that holds the data sets (default: data)"
    )
    add_output_root(run)
    add_set(run)
    run.add_argument("--no-download", action="store_true", help="fail if the data are not there")
    run.add_argument(
        "--verbose", action="store_true", help="show all that TFX, Beam and TensorFlow log"
    )
    run.set_defaults(command=_run)

    add_submit_command(commands)

    download = add_command(
        commands,
        "download",
        "fetch, verify and unpack a data set",
        "python -m pipeline download ml-1m",
    )
    named = download.add_argument(
        "dataset",
        help="ml-100k, -1m, -10m, -20m, -25m, -32m, ml-latest-small, ml-latest, or census",
    )
    complete(named, completion.datasets)
    download.add_argument(
        "--data-root",
        default="data",
        metavar="FOLDER",
        help="folder to keep it in (default: %(default)s)",
    )
    download.set_defaults(command=_download)

    add_use_commands(commands)

    settings = add_command(
        commands,
        "settings",
        "list a pipeline's presets, and its settings with what they mean",
        f"python -m pipeline settings {some} --preset best",
        "Each name=value is what --set of other commands takes.",
    )
    add_pipeline(settings)
    shown = settings.add_argument(
        "--preset", metavar="NAME", help="whose values to show; default: the first"
    )
    complete(shown, completion.presets)
    settings.set_defaults(command=_settings)

    shell = add_command(
        commands,
        "completion",
        "print what bash and zsh need to complete by Tab",
        "source <(tfx-recommenders completion)",
        "What is completed is the command tfx-recommenders, which installing the project makes, "
        "or a function of that name.",
    )
    shell.set_defaults(command=_completion)
    return parser


def _run(options: argparse.Namespace) -> ExitCode:
    from pipeline.datasets.locate import locate
    from pipeline.run.plain_folder import plain_folder
    from pipeline.run.run import run

    pipeline = definition(options.pipeline)
    dataset, catalog = options.dataset, pipeline.load_catalog()
    if dataset is None:
        if options.data_root and "://" not in options.data_root:
            catalog.check_root(options.data_root)
        dataset = "sample" if options.data_root is None else pipeline.real_dataset
    check(bool(dataset), "--dataset", dataset, "a name")
    config = configure(options.pipeline, options.settings, dataset)
    output_root = plain_folder(options.output_root, make=True)
    folder = locate(
        catalog,
        dataset,
        data_root=options.data_root or "data",
        work_dir=os.path.join(output_root, "data"),
        allow_download=not options.no_download,
    )
    return run(config, dataset, folder, output_root, options.verbose)


def _download(options: argparse.Namespace) -> ExitCode:
    from pipeline.datasets.locate import locate

    folder = locate(
        pipeline_of(options.dataset).load_catalog(),
        options.dataset,
        data_root=options.data_root,
        work_dir=options.data_root,
        allow_download=True,
    )
    print(f"{options.dataset}: {folder}")
    return ExitCode.SUCCESS


def _settings(options: argparse.Namespace) -> ExitCode:
    config = preset(options.pipeline, options.preset or "")
    for line in settings_lines(config, terminal_width()):
        print(line)
    return ExitCode.SUCCESS


def _completion(options: argparse.Namespace) -> ExitCode:
    print(completion.script())
    return ExitCode.SUCCESS
