"""The MovieLens data sets."""

from pipeline.datasets.catalog import MADE_UP, Catalog, Dataset
from pipeline.datasets.sources import Generated, ZipArchive
from transforms.parsing.file_names import RATINGS, ratings_among

_GROUPLENS = "https://files.grouplens.org/datasets/movielens"
# A copy that others keep. The pins decide what is taken from it, so if it moves, only a fallback
# is lost.
_MIRROR = "https://huggingface.co/datasets/Recommenders/MovieLens/resolve/main"
_MIRRORED = ("ml-100k", "ml-1m", "ml-10m", "ml-20m")
_SHA256 = {
    "ml-100k": "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    "ml-1m": "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
    "ml-10m": "813c411ccb6122564edfe752e7f80c4dcc5aa25fa94c93622f6877a7ba252862",
    "ml-20m": "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3",
    "ml-25m": "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
    "ml-32m": "e4a68655d7386b8f95f2f2424b2ff975dfdd15ffd59e0d864a14dca43e99d6ee",
}
_LICENCE = (
    "GroupLens allows research that names it (Harper and Konstan, 2015), and commercial use or "
    "passing the data on only with its permission, as the README in the archive says"
)
_U = ("u.data", "u.item")
_DAT = ("ratings.dat", "movies.dat")
_CSV = ("ratings.csv", "movies.csv")
# A rating takes 20 to 28 bytes, and a movie 50.
_BYTES_PER_RATING = 50
_BYTES_OF_MOVIES = 16 << 20


def _write_sample(folder: str) -> None:
    # The generator needs numpy, which the other data sets do without.
    from pipeline.datasets.movielens_sample import write_sample

    write_sample(folder)


def _published(name: str, files: tuple[str, str], ratings: int, unpacked: str = "") -> Dataset:
    """Returns a published set.

    Args:
        name: Its name, and that of its archive.
        files: With ratings and with movies.
        ratings: How many it has.
        unpacked: What the folder in the archive is called, if it is not as the set.
    """
    archive = f"{name}.zip"
    pins = {archive: _SHA256[name]} if name in _SHA256 else {}
    folders = (_GROUPLENS, _MIRROR) if name in _MIRRORED else (_GROUPLENS,)
    max_bytes = ratings * _BYTES_PER_RATING + _BYTES_OF_MOVIES
    sources = tuple(ZipArchive(f"{folder}/{archive}", files, pins, max_bytes) for folder in folders)
    also = (unpacked,) if unpacked else ()
    return Dataset(folder=name, also=also, files=files[:1], sources=sources, licence=_LICENCE)


MOVIELENS = Catalog(
    datasets={
        "sample": Dataset(
            folder="sample", files=_DAT, sources=(Generated(_write_sample),), licence=MADE_UP
        ),
        # 943 users, 1,682 movies.
        "ml-100k": _published("ml-100k", _U, 100_000),
        # 6,040 users, 3,706 movies.
        "ml-1m": _published("ml-1m", _DAT, 1_000_209),
        # 69,878 users, 10,677 movies.
        "ml-10m": _published("ml-10m", _DAT, 10_000_054, unpacked="ml-10M100K"),
        # 138,493 users, 26,744 movies.
        "ml-20m": _published("ml-20m", _CSV, 20_000_263),
        # 162,541 users, 59,047 movies.
        "ml-25m": _published("ml-25m", _CSV, 25_000_095),
        # 200,948 users, 84,432 movies.
        "ml-32m": _published("ml-32m", _CSV, 32_000_204),
        # GroupLens replaces these two from time to time, so they can have no pin, and may grow.
        "ml-latest-small": _published("ml-latest-small", _CSV, 400_000),
        "ml-latest": _published("ml-latest", _CSV, 100_000_000),
    },
    own=ratings_among,
    own_files=RATINGS,
    shelf="movielens",
)
