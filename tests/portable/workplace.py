"""A folder where a pipeline is run from the installed wheel, its Beam steps on an engine."""

import contextlib
import glob
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from kubeflow.beam_engine import BeamEngine
from tests.kubeflow.container import container_environment
from tests.kubeflow.foreign_folder import IMAGE, QUICK

PIPELINES = ("ncf", "movielens", "census")
EXAMPLE_GENS = {
    "ncf": "MovieLensExampleGen",
    "movielens": "MovieLensExampleGen",
    "census": "CensusExampleGen",
}
_DRIVER = os.path.join(os.path.dirname(__file__), "run_on_engine.py")
# Of Flink alone; Prism optimises by itself and knows no fused stages.
_OF_FLINK = ("--runner", "--flink", "--experiments")


def prism_args(prism: str, address: str) -> list[str]:
    """Returns the arguments that Flink gets but for its name and address, for Prism.

    Args:
        prism: The program.
        address: The worker pool's.
    """
    flink = BeamEngine(name="flink", image=IMAGE, worker_pool=address, max_workers=2)
    shared = [each for each in flink.args("Transform") if not each.startswith(_OF_FLINK)]
    return ["--runner=PrismRunner", f"--prism_location={prism}", *shared]


@dataclass(frozen=True)
class Workplace:
    """A folder where a pipeline is run.

    Attributes:
        pipeline: The pipeline's name.
        folder: The folder.
        packages: The folder that the project's wheel is installed in.
        settings: Settings beside those that make a run quick, as `--set` takes them.
    """

    pipeline: str
    folder: str
    packages: str
    settings: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        return os.path.join(self.folder, "output", self.pipeline)

    @property
    def example_gen(self) -> str:
        """The id of its ExampleGen."""
        return EXAMPLE_GENS[self.pipeline]

    def start(
        self, steps: Sequence[str], beam_args: Sequence[str], **variables: str
    ) -> subprocess.Popen:
        """Starts a run on the embedded sample in a process group of its own.

        Args:
            steps: Ids of the components that get the Beam arguments.
            beam_args: These.
            variables: Environment variables beside the image's.
        """
        quick = [f"{name}={value}" for name, value in QUICK[self.pipeline].items()]
        settings = [f"--set={pair}" for pair in (*quick, *self.settings)]
        roots = [f"--{name}-root={self.folder}/{name}" for name in ("data", "output")]
        command = [sys.executable, _DRIVER, ",".join(steps), "run", self.pipeline]
        data = ["--dataset=sample", "--no-download", *roots, *settings]
        return subprocess.Popen(
            [*command, *data, "--", *beam_args],
            cwd=self.folder,
            env={**container_environment(self.packages, self.folder), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(
        self, steps: Sequence[str], beam_args: Sequence[str], **variables: str
    ) -> tuple[int, str]:
        """Runs it as `start` does and returns its exit code and what it printed."""
        return end(self.start(steps, beam_args, **variables))

    def outputs(self, component: str, key: str) -> list[str]:
        """Returns the folders of a component's outputs that have shards, the oldest first."""
        root = os.path.join(self.home, "artifacts", component, key)
        numbers = sorted(os.listdir(root), key=int)
        return [f"{root}/{n}" for n in numbers if glob.glob(f"{root}/{n}/Split-*/*.gz")]


def end(process: subprocess.Popen) -> tuple[int, str]:
    """Waits for a process that `Workplace.start` made and for what it printed."""
    try:
        said, _ = process.communicate()
        return process.returncode, said
    finally:
        # Prism, where the run itself was cut off.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
