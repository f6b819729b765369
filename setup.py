"""Packages the pipelines, so that components and Beam workers import them from anywhere."""

import pathlib

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

_ROOT = pathlib.Path(__file__).parent
_VERSION = (_ROOT / "pipeline" / "version.py").read_text(encoding="utf-8").split('"')[-2]
_REQUIREMENTS = (_ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()


class BuildWithHook(build_py):
    """Adds the .pth file that gives the tfx command its handler for Kubeflow.

    Python looks for such a file beside the packages and not in them.
    """

    def run(self) -> None:
        """Builds the packages, then copies the file."""
        super().run()
        self.copy_file(str(_ROOT / "kubeflow" / "tfx_cli" / "tfx_kubeflow.pth"), self.build_lib)


setup(
    name="tfx-recommenders",
    version=_VERSION,
    description="Pipelines on TFX for recommendation and tabular classification",
    long_description=(_ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["pipeline*", "components*", "transforms*", "kubeflow*"]),
    package_data={"": ["*.pbtxt", "templates/*.jinja", "*.pth"]},
    install_requires=[line for line in _REQUIREMENTS if line and not line.startswith("#")],
    cmdclass={"build_py": BuildWithHook},
    entry_points={"console_scripts": ["tfx-recommenders=pipeline.cli.main:main"]},
)
