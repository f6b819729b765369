"""The commands that use what runs left behind: recommend, predict, list, rollback; and doctor."""

import argparse
import sys
from typing import Any

from pipeline.cli.arguments import add_output_root
from pipeline.cli.parser import add_command
from pipeline.exit_code import ExitCode
from pipeline.pipelines.registry import definition, pipelines
from transforms.base.errors import UserError
from transforms.base.settings import check

_OUT = "write here, Parquet if it ends in .parquet, else CSV; - is standard output"


def add_use_commands(commands: Any) -> None:
    """Adds the commands.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    known = pipelines().values()
    recommenders = [found.name for found in known if found.interactions]
    recommend = add_command(
        commands,
        "recommend",
        "list the best unseen items for users, by the latest pushed model",
        "python -m pipeline recommend --user 42 --top 10",
    )
    recommend.add_argument(
        "--pipeline",
        choices=recommenders,
        default=recommenders[0],
        help="whose model (default: %(default)s)",
    )
    who = recommend.add_mutually_exclusive_group()
    who.add_argument("--user", metavar="ID", action="append", help="one user; may be repeated")
    who.add_argument("--users", metavar="FILE", help="users of a file, an id on each line")
    who.add_argument("--all", action="store_true", help="all users of the training data")
    who.add_argument("--item", metavar="ID", help="no user, but what is similar to an item")
    recommend.add_argument(
        "--history",
        metavar="IDS",
        help="anybody who had these items, the latest last, with commas between, or with --user "
        "what that user has had since; for a model that ranks by histories",
    )
    recommend.add_argument(
        "--include",
        metavar="FILE",
        help="choose from the items of a file alone, an id on each line",
    )
    recommend.add_argument(
        "--top", type=int, default=10, metavar="K", help="items for each user (default: 10)"
    )
    recommend.add_argument("--out", metavar="FILE", help=f"{_OUT}; default: text")
    add_output_root(recommend)
    recommend.set_defaults(command=_recommend)

    taken = {found.name: found.predict.what for found in known if found.predict}
    predict = add_command(
        commands,
        "predict",
        "predict for the rows of a file, by the latest pushed model",
        f"python -m pipeline predict {next(iter(taken))} --input rows.csv --out scored.csv",
        f"{'; '.join(f'{name} takes {what}' for name, what in taken.items())}. A first row of "
        "CSV may name the columns, in any order; others are passed over.",
    )
    predict.add_argument("pipeline", choices=tuple(taken), help="whose model")
    predict.add_argument(
        "--input", required=True, metavar="FILE", help="CSV, .gz or .zst or not, or .parquet"
    )
    predict.add_argument(
        "--out", metavar="FILE", default="-", help=f"{_OUT} (default: %(default)s)"
    )
    add_output_root(predict)
    predict.set_defaults(command=_predict)

    runs = add_command(
        commands,
        "list",
        "list runs, their verdicts and the pushed models",
        "python -m pipeline list",
    )
    add_output_root(runs)
    runs.set_defaults(command=_list)

    rollback = add_command(
        commands,
        "rollback",
        "let the model serve again that did before the one in use",
        f"python -m pipeline rollback {next(iter(pipelines()))}",
        "Again, it goes one further back. Nothing is removed, and the next candidate is compared "
        "with what serves then.",
    )
    rollback.add_argument("pipeline", choices=tuple(pipelines()), help="whose model")
    add_output_root(rollback)
    rollback.set_defaults(command=_rollback)

    doctor = add_command(
        commands,
        "doctor",
        "check Python, packages, GPU libraries, disk and memory",
        "python -m pipeline doctor",
        "What is to be mended comes with its remedy, and with exit code 2.",
    )
    add_output_root(doctor)
    doctor.set_defaults(command=_doctor)


def _recommend(options: argparse.Namespace) -> ExitCode:
    from pipeline.run.history import latest_pushed
    from pipeline.serve.ids import parse_id, read_ids
    from pipeline.serve.recommend import Recommender

    check(options.top >= 1, "--top", options.top, "at least 1")
    _check_who(options)
    served = latest_pushed(options.output_root, options.pipeline)
    named = [parse_id(user, served, "--user", "user_id") for user in options.user or ()]
    users = list(dict.fromkeys(named))
    if options.users:
        users = read_ids(options.users, served, "user_id")
    items = [parse_id(options.item, served, "--item", "item_id")] if options.item else []
    texts = [] if options.history is None else options.history.split(",")
    history = [parse_id(text, served, "--history", "item_id") for text in texts]
    include = read_ids(options.include, served, "item_id") if options.include else None
    interactions = definition(options.pipeline).interactions
    recommender = Recommender(served, interactions, options.top, include)
    if items:
        ranked = recommender.similar_to(*items)
    elif history:
        ranked = recommender.after(history, *users)
        for item in ranked.strangers:
            print(f"warning: item {item} was not trained on: passed over", file=sys.stderr)
    else:
        ranked = recommender.for_users(None if options.all else users)
        for user in ranked.strangers:
            print(f"warning: user {user} was not trained on: ranked as average", file=sys.stderr)
        for user in ranked.without:
            print(f"warning: nothing is left that user {user} has not had", file=sys.stderr)
    return _tell(ranked, served, options.out)


def _check_who(options: argparse.Namespace) -> None:
    """Raises UserError unless it is clear for whom, or what, to recommend."""
    others = options.users or options.all or options.item
    if options.history is None and not (options.user or others):
        raise UserError("recommend: name --user, --users, --all, --history or --item")
    if options.history is not None and (others or len(options.user or ()) > 1):
        raise UserError("--history: goes alone, or with one --user")


def _tell(ranked: Any, served: Any, out: str | None) -> ExitCode:
    from pipeline.serve.recommend import as_table, lines
    from pipeline.serve.tables import write_table

    if out:
        write_table(as_table(ranked, served), out, sys.stdout)
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(ranked, served))
    return ExitCode.SUCCESS


def _predict(options: argparse.Namespace) -> ExitCode:
    from pipeline.run.history import latest_pushed
    from pipeline.serve.predict import predict
    from pipeline.serve.tables import write_table

    served = latest_pushed(options.output_root, options.pipeline)
    rows = definition(options.pipeline).predict
    assert rows is not None  # The parser offers no other pipeline.
    table = predict(
        served, rows, options.input, lambda line: print(f"warning: {line}", file=sys.stderr)
    )
    write_table(table, options.out, sys.stdout)
    return ExitCode.SUCCESS


def _list(options: argparse.Namespace) -> ExitCode:
    from pipeline.run.history import list_runs

    sys.stdout.writelines(f"{line}\n" for line in list_runs(options.output_root))
    return ExitCode.SUCCESS


def _rollback(options: argparse.Namespace) -> ExitCode:
    from pipeline.run.rollback import roll_back

    done = roll_back(options.output_root, options.pipeline)
    print(
        f"{options.pipeline}: model {done.restored} serves again, as {done.version}, "
        f"in the place of {done.replaced}"
    )
    return ExitCode.SUCCESS


def _doctor(options: argparse.Namespace) -> ExitCode:
    from pipeline.cli.doctor import diagnose

    findings = diagnose(options.output_root)
    for name, found, remedy in findings:
        print(f"{'mend' if remedy else 'OK':<5} {name:<21} {found}{remedy and f'; {remedy}'}")
    ill = any(finding.remedy for finding in findings)
    return ExitCode.USER_MISTAKE if ill else ExitCode.SUCCESS
