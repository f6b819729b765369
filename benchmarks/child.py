"""Runs one workload: `python -m benchmarks.child MODULE:FUNCTION ARGUMENTS RESULT`.

A process for each, so that its peak memory is its own. ARGUMENTS is a JSON object of keyword
arguments, and RESULT the file that receives the Timing, if there is one, as JSON.
"""

import dataclasses
import json
import sys
from importlib import import_module

from transforms.base.errors import UserError


def main() -> int:
    """Returns 0, or 2 after a mistake that the last line of standard error tells."""
    target, arguments, result = sys.argv[1:]
    module, _, function = target.partition(":")
    try:
        timing = getattr(import_module(module), function)(**json.loads(arguments))
    except UserError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    with open(result, "w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(timing) if timing else None, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
