"""Packages the pipelines, so that components and Beam workers import them from anywhere."""

import pathlib

from setuptools import find_packages, setup

_ROOT = pathlib.Path(__file__).parent
_VERSION = (_ROOT / "pipeline" / "version.py").read_text(encoding="utf-8").split('"')[-2]

setup(
    name="tfx-recommenders",
    version=_VERSION,
    description="NCF, rating and census pipelines on TFX",
    long_description=(_ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.11",
    packages=find_packages(include=["pipeline*", "components*", "transforms*", "kubeflow*"]),
    package_data={"": ["*.pbtxt", "templates/*.jinja"]},
    install_requires=[
        "tfx==1.15.1",
        "tensorflow==2.15.1",
        "tensorflow-transform==1.15.0",
        "apache-beam[gcp]==2.65.0",
        "argcomplete",
        "jinja2",
        "rich",
        "matplotlib",
        "packaging",
        "pandas",
        "pyarrow",
        "numpy",
        # TFX imports pkg_resources, which later ones dropped.
        "setuptools<81",
    ],
    extras_require={"kubeflow": ["kfp==1.8.22", "pip"]},
    entry_points={"console_scripts": ["tfx-recommenders=pipeline.cli:main"]},
)
