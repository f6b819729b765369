"""The census data sets."""

from components.data_files.catalog import Catalog, Dataset, Files, Generated

__all__ = ["CENSUS"]

_FILES = ("adult.data", "adult.test")


def _write_sample(folder: str) -> None:
    # The generator needs numpy, which the other data sets do without.
    from components.census_gen.sample import write_sample

    write_sample(folder)


CENSUS = Catalog(
    datasets={
        "sample": Dataset(folder="census-sample", files=_FILES, source=Generated(_write_sample)),
        # UCI Adult: 32,561 and 16,281 people of the US census of 1994.
        "census": Dataset(
            folder="census",
            files=_FILES,
            source=Files(
                "https://archive.ics.uci.edu/ml/machine-learning-databases/adult",
                {
                    "adult.data": "5d7c39d7b8804f071cdd1f2a7c460872",
                    "adult.test": "35238206dfdf7f1fe215bbb874adecdc",
                },
            ),
        ),
    },
    own=(_FILES,),
    shelf="census",
)
