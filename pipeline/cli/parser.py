"""Parsing of a command line, with help that explains and mistakes that suggest."""

import argparse
import re
from typing import Any, NoReturn

from transforms.base.errors import UserError
from transforms.base.settings import nearest


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are `UserError`s and name what is nearest to a misspelt word."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parses as its base class does, and refuses what is unknown.

        The base class passes what a command does not know on to the parser of all commands, which
        has no option to suggest.
        """
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            known = re.findall(r"--[\w-]+", self.format_help())
            hint = "" if name in known else nearest(name, known)
            self._refuse(f"unknown argument {name}", hint)
        return options, unknown

    def error(self, message: str) -> NoReturn:
        """Raises the mistake as one line that says where help is.

        Raises:
            UserError: Always.
        """
        hint = ""
        if message.endswith("expected one argument"):
            # What begins with a dash is taken for an option.
            option = message.removeprefix("argument ").partition(":")[0]
            hint = f"; if it begins with a dash, write {option}=-...; see: {self.prog} --help"
        self._refuse(message, hint)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse says it in a sentence of each Python version's own, with nothing to suggest.
        if action.choices is not None and value not in action.choices:
            name = argparse.ArgumentError(action, "").argument_name
            known = tuple(action.choices)
            must = f"must be one of {', '.join(known)}"
            self._refuse(f"{name}={value!r}: {must}", nearest(value, known))

    def _refuse(self, message: str, hint: str = "") -> NoReturn:
        raise UserError(message + (hint or f"; see: {self.prog} --help"))


def add_command(commands: Any, name: str, what: str, example: str, more: str = "") -> Parser:
    """Returns the parser of a new command.

    Args:
        commands: What `add_subparsers` returned.
        name: The command.
        what: What it does, a clause for the list of commands and for its own help.
        example: A line that can be typed.
        more: What its own help adds.
    """
    description = f"{what[0].upper()}{what[1:]}. {more}"
    parser: Parser = commands.add_parser(
        name, help=what, description=description, epilog=f"example: {example}"
    )
    return parser
