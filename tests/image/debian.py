"""Debian 13 as its image on Docker Hub has it, made from Debian's packages."""

import os
import subprocess
import tempfile


def make_debian_13(archive: str) -> None:
    """Writes the root folder of a smallest Debian 13 as an archive; root alone can.

    Args:
        archive: The path of the archive, which is either whole or not there.
    """
    folder = os.path.dirname(archive)
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        root, packed = os.path.join(work, "root"), os.path.join(work, "packed.tar")
        for command in (
            ["debootstrap", "--variant=minbase", "trixie", root, *_mirror()],
            ["tar", "--create", "--numeric-owner", "--file", packed, "--directory", root, "."],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        os.rename(packed, archive)


def _mirror() -> list[str]:
    """Returns the address that this machine has Debian's packages from, or nothing."""
    form = "$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)"
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        capture_output=True,
        text=True,
    )
    sources = [line.split() for line in done.stdout.splitlines()]
    # The main archive of a release, and not its updates.
    return [s[3] for s in sources if s[:2] == ["Debian", "main"] and "-" not in s[2]][:1]
