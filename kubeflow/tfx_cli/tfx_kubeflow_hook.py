"""Gives the tfx command our handler for Kubeflow where TFX's own cannot be imported.

Python loads this whenever it starts, so it imports next to nothing, and only compares a name.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_HANDLER = "tfx.tools.cli.handler.kubeflow_handler"


class _Loader:
    """Loads TFX's handler, or ours in its place."""

    def __init__(self, spec: ModuleSpec):
        self._of_tfx = spec.loader

    def create_module(self, spec: ModuleSpec) -> None:
        """Leaves it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Runs TFX's module; that of TFX 1.16 to 1.21 imports what is no longer there."""
        try:
            self._of_tfx.exec_module(module)  # type: ignore[union-attr]
        except ImportError:
            from tfx_kubeflow_handler import KubeflowHandler

            module.KubeflowHandler = KubeflowHandler  # type: ignore[attr-defined]


class _Finder:
    """Finds TFX's handler for Kubeflow, and nothing else."""

    @staticmethod
    def find_spec(
        name: str, path: list[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the module's place with our loader; Python asks for every import."""
        if name != _HANDLER:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Loader(spec)  # type: ignore[assignment]
        return spec


sys.meta_path.insert(0, _Finder)  # type: ignore[arg-type]
