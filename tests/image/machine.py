"""What this machine needs to reach package indexes, for a build and not for the image."""

import os
import ssl

_PIP = ("index_url", "extra_index_url", "trusted_host", "default_timeout")
_GO = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE")


def volumes(folder: str) -> list[str]:
    """Returns buildah's arguments for the machine's certificates and settings of pip and Go.

    Args:
        folder: Where the files are made that stand for environment variables.
    """
    pip = [f"{k.replace('_', '-')} = {v}" for k in _PIP if (v := os.getenv(f"PIP_{k.upper()}"))]
    go = [f"{k}={v}" for k in _GO if (v := os.getenv(k))]
    files = {
        "/etc/pip.conf": _write(folder, "pip.conf", ["[global]", *pip]),
        "/root/.config/go/env": _write(folder, "go", go),
    }
    certificates = ssl.get_default_verify_paths().cafile
    if certificates:
        # Debian's package of certificates takes in what is there when it is installed.
        files["/usr/local/share/ca-certificates/machine.crt"] = certificates
    return [f"--volume={source}:{target}:ro" for target, source in files.items()]


def _write(folder: str, name: str, lines: list[str]) -> str:
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return path
