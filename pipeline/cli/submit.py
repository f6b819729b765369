"""The command that has an engine run a pipeline, once or by a schedule."""

import argparse
import functools
import os
from typing import Any

from pipeline.cli.arguments import add_pipeline, add_set
from pipeline.cli.parser import add_command
from pipeline.environment import Environment
from pipeline.exit_code import ExitCode
from pipeline.pipelines.registry import pipelines
from pipeline.settings import apply_settings, configure, setting_values
from transforms.base.errors import UserError


def add_submit_command(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    some = next(iter(pipelines()))
    submit = add_command(
        commands,
        "submit",
        "compile a pipeline, upload it to Kubeflow or Vertex and start a run",
        f"python -m pipeline submit {some} --engine vertex --parameter train_epochs=3",
        "Environment variables say where data, image and results are: see kubeflow/README.md. "
        "What --set sets counts more than SETTINGS.",
    )
    add_pipeline(submit)
    submit.add_argument("--engine", choices=("kubeflow", "vertex"), required=True, help="where")
    submit.add_argument("--endpoint", metavar="URL", help="address of Kubeflow Pipelines")
    add_set(submit)
    submit.add_argument(
        "--parameter",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a run-time parameter: data_root, train_epochs, seed or a bound; may be repeated",
    )
    submit.add_argument(
        "--wait",
        action="store_true",
        help="follow a run on Kubeflow to its end, and end with its verdict and exit code",
    )
    schedules = submit.add_mutually_exclusive_group()
    schedules.add_argument(
        "--schedule",
        metavar="CRON",
        help='start a run whenever it is time, such as "0 3 * * *", each night at three, UTC',
    )
    schedules.add_argument(
        "--list-schedules", action="store_true", help="list the schedules of the pipeline"
    )
    schedules.add_argument(
        "--stop-schedule", metavar="NAME", help="stop one, named as the list names it"
    )
    submit.set_defaults(command=_submit)


def _submit(options: argparse.Namespace) -> ExitCode:
    from kubeflow.submit import list_schedules, stop_schedule, submit

    if options.list_schedules:
        for schedule in list_schedules(options.pipeline, options.engine, options.endpoint):
            print(schedule)
        return ExitCode.SUCCESS
    if options.stop_schedule is not None:
        stop_schedule(options.stop_schedule, options.engine, options.endpoint)
        print(f"{options.pipeline}: schedule {options.stop_schedule} is stopped")
        return ExitCode.SUCCESS
    settings = [*Environment(os.environ).settings(), *options.settings]
    config = configure(options.pipeline, settings)
    pairs = [pair.partition("=") for pair in options.parameters]
    for name, equals, value in pairs:
        if not equals:
            raise UserError(f"--parameter {name}{value}: must be name=value")
    texts = {name: value for name, _, value in pairs}
    # What no setting could have is refused before it is sent, and the rest gets its type.
    known = setting_values(config)
    asked = apply_settings(config, [f"{n}={v}" for n, v in texts.items() if n in known])
    values = {name: setting_values(asked).get(name, text) for name, text in texts.items()}
    # Engines have no type for truth that TFX knows of.
    parameters = {n: int(v) if isinstance(v, bool) else v for n, v in values.items()}
    return submit(
        options.pipeline,
        options.engine,
        settings,
        parameters,
        options.endpoint,
        tell=functools.partial(print, flush=True),
        wait=options.wait,
        cron=options.schedule,
    )
