import dataclasses
import json
import os
import shutil

import pytest

from tests.image.buildah import Buildah
from tests.image.debian import make_debian_13
from tests.image.machine import volumes

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.join(ROOT, "build", "image")


# Beam's workers call the container by its name, which Docker makes known and chroot not.
_ALONE = ("--isolation", "chroot", "--hostname", "localhost")


@dataclasses.dataclass(frozen=True)
class Image:
    """An image that was built, and a container of it."""

    buildah: Buildah
    name: str

    @property
    def settings(self):
        """What the image says of its user, environment and entry point."""
        return json.loads(self.buildah("inspect", "--type", "image", self.name))["OCIv1"]["config"]

    def run(self, *command):
        """Runs a command in the container as the image's user and returns what it printed."""
        return self.buildah("run", *_ALONE, self.name, "--", *command)

    def run_pod(self, user, mounts, command):
        """Runs a command as `user` with folders of the machine mounted, and returns how it ended.

        Args:
            user: A number, which owns nothing in the image.
            mounts: Folders of this machine by path in the container.
            command: The command line.
        """
        volumes = [f"--volume={folder}:{path}" for path, folder in mounts.items()]
        as_user = ("--user", f"{user}:{user}")
        return self.buildah.run("run", *_ALONE, *as_user, *volumes, self.name, "--", *command)


@pytest.fixture(scope="session")
def buildah():
    """Buildah with nothing in its storage, neither before nor after."""
    missing = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} missing: apt-get install buildah debootstrap")
    if os.geteuid() != 0:
        pytest.skip("only root can make the base of an image")
    program = Buildah(BUILD)
    program.clear()
    yield program
    program.clear()


@pytest.fixture(scope="session")
def build(buildah, tmp_path_factory):
    """Returns a function that builds the Dockerfile for a device, on a Debian made here."""
    archive = os.path.join(BUILD, "debian-13.tar")
    if not os.path.exists(archive):
        make_debian_13(archive)
    root = buildah("from", "scratch").strip()
    buildah("add", root, archive, "/")
    buildah("commit", "--rm", root, "debian-13")

    def build_for(device):
        buildah(
            *("build", "--isolation", "chroot", "--layers", "--tag", device),
            *("--build-arg", "BASE=localhost/debian-13", "--build-arg", f"DEVICE={device}"),
            *volumes(str(tmp_path_factory.mktemp(device))),
            ROOT,
        )
        buildah("from", "--name", device, f"localhost/{device}")
        return Image(buildah, device)

    return build_for


@pytest.fixture(scope="session")
def image(build):
    """The image without CUDA."""
    return build("cpu")
