"""The MovieLens data sets."""

from components.data_files.catalog import Catalog, Dataset, Generated, ZipArchive

__all__ = ["MOVIELENS"]

_GROUPLENS = "https://files.grouplens.org/datasets/movielens"
_DAT = ("ratings.dat", "movies.dat")
_CSV = ("ratings.csv", "movies.csv")


def _write_sample(folder: str) -> None:
    # The generator needs numpy, which the other data sets do without.
    from components.movielens_gen.sample import write_sample

    write_sample(folder)


def _published(name: str, files: tuple[str, str], md5: str | None) -> Dataset:
    source = ZipArchive(f"{_GROUPLENS}/{name}.zip", md5, files)
    return Dataset(folder=name, files=files[:1], source=source)


MOVIELENS = Catalog(
    datasets={
        "sample": Dataset(folder="sample", files=_DAT, source=Generated(_write_sample)),
        # 1,000,209 ratings of 3,706 movies by 6,040 users.
        "ml-1m": _published("ml-1m", _DAT, "c4d9eecfca2ab87c1945afe126590906"),
        # 20,000,263 ratings of 26,744 movies by 138,493 users.
        "ml-20m": _published("ml-20m", _CSV, "cd245b17a1ae2cc31bb14903e1204af3"),
        # About 100,000 ratings; GroupLens replaces it from time to time, so its MD5 changes.
        "ml-latest-small": _published("ml-latest-small", _CSV, None),
    },
    own=(_CSV[:1], _DAT[:1]),
    shelf="movielens",
)
