"""Debian's buildah, with a storage of its own."""

import os
import subprocess

_TAIL = 4000


class Buildah:
    """Builds images and runs commands in them, without a daemon."""

    def __init__(self, folder: str):
        storage, state = os.path.join(folder, "storage"), os.path.join(folder, "state")
        self._buildah = ["buildah", "--root", storage, "--runroot", state]

    def __call__(self, *arguments: str) -> str:
        """Runs buildah and returns what it printed, without its messages."""
        done = self.run(*arguments)
        said = f"{done.stdout[-_TAIL:]}\n{done.stderr[-_TAIL:]}"
        assert done.returncode == 0, f"buildah {arguments[0]} ended with {done.returncode}:\n{said}"
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs buildah, however it ends."""
        return subprocess.run([*self._buildah, *arguments], capture_output=True, text=True)

    def clear(self) -> None:
        """Removes all containers and images, those that a killed run has left as well."""
        self("rm", "--all")
        self("rmi", "--all", "--force")
