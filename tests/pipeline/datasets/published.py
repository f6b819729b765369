"""The files of the published MovieLens sets, each in its exact layout."""

from tests.pipeline.datasets.servers import zip_of

NAMES = (
    *("ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m", "ml-latest-small", "ml-latest"),
)

_FLAGS = [
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
]


def _ml_100k(ratings, movies):
    def flags(genres):
        spelt = {"Children's" if genre == "Children" else genre for genre in genres} or {"unknown"}
        return "|".join("1" if name in spelt else "0" for name in _FLAGS)

    items = "".join(f"{i}|{t}|01-Jan-1995||http://us.imdb.com/|{flags(g)}\n" for i, t, g in movies)
    rows = "".join(f"{u}\t{i}\t{s:g}\t{t}\n" for u, i, s, t in ratings)
    # With what else the archive has, one of it called much like the ratings.
    return {
        "u.data": rows.encode(),
        "u.item": items.encode("latin-1"),
        "u1.base": b"",
        "u.user": b"",
    }


def _dat(ratings, movies, encoding):
    def genres(names):
        return "|".join(sorted(names)) or "(no genres listed)"

    named = "".join(f"{i}::{t}::{genres(g)}\n" for i, t, g in movies)
    rows = "".join(f"{u}::{i}::{s:g}::{t}\n" for u, i, s, t in ratings)
    return {"ratings.dat": rows.encode(), "movies.dat": named.encode(encoding), "README": b"x"}


def _comma(ratings, movies):
    def quoted(title):
        return '"{}"'.format(title.replace('"', '""')) if set(title) & set(',"') else title

    named = "movieId,title,genres\r\n" + "".join(
        f"{i},{quoted(t)},{'|'.join(sorted(g)) or '(no genres listed)'}\r\n" for i, t, g in movies
    )
    rows = "userId,movieId,rating,timestamp\r\n" + "".join(
        f"{u},{i},{s},{t}\r\n" for u, i, s, t in ratings
    )
    others = {
        "tags.csv": b"userId,movieId,tag,timestamp\r\n",
        "links.csv": b"movieId,imdbId,tmdbId\r\n",
    }
    return {"ratings.csv": rows.encode(), "movies.csv": named.encode(), **others}


def layout(name, ratings, movies):
    """The folder of a set, and its files' contents by name.

    Args:
        name: Of NAMES.
        ratings: (user, item, stars, seconds) of each.
        movies: (item, title, set of genres as the project spells them) of each.
    """
    if name == "ml-100k":
        return name, _ml_100k(ratings, movies)
    if name == "ml-1m":
        return name, _dat(ratings, movies, "latin-1")
    if name == "ml-10m":
        return "ml-10M100K", _dat(ratings, movies, "utf-8")
    return name, _comma(ratings, movies)


def archive(folder, files):
    """The bytes of the archive that a set is published as."""
    return zip_of({f"{folder}/{file}": content for file, content in files.items()})
