"""The record beside a pushed model: what it was made of, how it measured, and beside what.

Evaluator writes it beside its results, and Pusher takes it along with the model.
"""

import importlib.metadata
import platform
from typing import Any

RECORD_FILE = "record.json"

_PACKAGES = ("tfx", "tensorflow", "tensorflow-model-analysis", "apache-beam")

# Custom properties of artifacts that a record is made of.
INPUT_BASE = "input_base"
"""Of Examples: the folder of the raw files."""
SETTINGS = "settings"
"""Of Examples and of a Model: the settings that they were made with, as JSON."""
SPLIT = "split"
"""Of Examples: the settings that decide what is held out, as JSON."""

RESTORES = "restores"

Record = dict[str, Any]
"""A record as JSON has it.

* `pipeline`, `dataset`, and `split`, the settings that decide which Examples are held out
* `data`: the raw files' `folder` and `fingerprint`, and the `examples` made of them
* `settings` by part, `bounds` by setting
* `metrics` over all examples, `slices`, and `baseline`, the metrics of the model compared with
* `parent`, that model's name, or ""
* `restores`, of a model that serves again: the version in which it was pushed
* `blessed`, and the verdict's `reasons` and `notes`
* `identity` of the model, `code` (fingerprints of the sources), `versions` of the packages
"""


def compared_with(record: Record) -> str:
    """Returns the version of the model that a candidate was compared with, or ""."""
    return str(record["parent"]).partition(":")[0] if record["baseline"] else ""


def installed_versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that decide what a run makes."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **versions}


def why_not_comparable(candidate: Record, other: Record) -> str:
    """Returns what keeps two models from being compared on the candidate's Examples, or "".

    A model that trained on what another split holds out would seem better than it is.

    Args:
        candidate: Record of the one, of which `dataset` and `split` are looked at.
        other: Record of the other.
    """
    if candidate["dataset"] != other.get("dataset"):
        return f"it was made on data set {other.get('dataset')}, not {candidate['dataset']}"
    ours, theirs = candidate["split"], other.get("split", {})
    differing = [
        f"{name}={theirs.get(name)}, not {ours.get(name)}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
    return f"its split has {'; '.join(differing)}" if differing else ""
