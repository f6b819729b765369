"""The census data sets."""

from collections.abc import Sequence

from pipeline.datasets.catalog import MADE_UP, Catalog, Dataset
from pipeline.datasets.sources import Files, Generated, ZipArchive

_FILES = ("adult.data", "adult.test")
# The rows of both files, as Kaggle and OpenML have them.
_ONE_FILE = ("adult.csv",)
# The published ones have 6 MB.
_MOST_BYTES = 64 << 20
_PINS = {
    "adult.data": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    "adult.test": "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
}
_UCI = "https://archive.ics.uci.edu"


def _write_sample(folder: str) -> None:
    # The generator needs numpy, which the other data sets do without.
    from pipeline.datasets.census_sample import write_sample

    write_sample(folder)


def _adult_among(folder: str, names: Sequence[str]) -> list[str]:
    del folder
    return next(([*files] for files in (_FILES, _ONE_FILE) if {*files} <= {*names}), [])


CENSUS = Catalog(
    datasets={
        "sample": Dataset(
            folder="census-sample",
            files=_FILES,
            sources=(Generated(_write_sample),),
            licence=MADE_UP,
        ),
        # UCI Adult: 32,561 and 16,281 people of the US census of 1994.
        "census": Dataset(
            folder="census",
            files=_FILES,
            loose=True,
            licence="Becker and Kohavi, Adult (UCI, 1996), under CC BY 4.0",
            sources=(
                ZipArchive(f"{_UCI}/static/public/2/adult.zip", _FILES, _PINS, _MOST_BYTES),
                # Where they were before; it answers at times only.
                Files(f"{_UCI}/ml/machine-learning-databases/adult", _PINS),
            ),
        ),
    },
    own=_adult_among,
    own_files="adult.data and adult.test, or adult.csv",
    shelf="census",
)
