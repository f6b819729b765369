"""The MovieLens data sets."""

from pipeline.datasets.catalog import Catalog, Dataset
from pipeline.datasets.sources import Generated, ZipArchive

_GROUPLENS = "https://files.grouplens.org/datasets/movielens"
# A copy that others keep. The pins decide what is taken from it, so if it moves, only a fallback
# is lost.
_MIRROR = "https://huggingface.co/datasets/Recommenders/MovieLens/resolve/main"
_MIRRORED = ("ml-1m", "ml-20m")
_SHA256 = {
    "ml-1m": "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
    "ml-20m": "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3",
}
_DAT = ("ratings.dat", "movies.dat")
_CSV = ("ratings.csv", "movies.csv")


def _write_sample(folder: str) -> None:
    # The generator needs numpy, which the other data sets do without.
    from pipeline.datasets.movielens_sample import write_sample

    write_sample(folder)


def _published(name: str, files: tuple[str, str]) -> Dataset:
    archive = f"{name}.zip"
    pins = {archive: _SHA256[name]} if name in _SHA256 else {}
    folders = (_GROUPLENS, _MIRROR) if name in _MIRRORED else (_GROUPLENS,)
    sources = tuple(ZipArchive(f"{folder}/{archive}", files, pins) for folder in folders)
    return Dataset(folder=name, files=files[:1], sources=sources)


MOVIELENS = Catalog(
    datasets={
        "sample": Dataset(folder="sample", files=_DAT, sources=(Generated(_write_sample),)),
        # 1,000,209 ratings of 3,706 movies by 6,040 users.
        "ml-1m": _published("ml-1m", _DAT),
        # 20,000,263 ratings of 26,744 movies by 138,493 users.
        "ml-20m": _published("ml-20m", _CSV),
        # About 100,000 ratings; GroupLens replaces it from time to time, so it can have no pin.
        "ml-latest-small": _published("ml-latest-small", _CSV),
    },
    own=(_CSV[:1], _DAT[:1]),
    shelf="movielens",
)
