"""A small, made-up data set in the format of UCI Adult, with structure worth learning.

The people in it do not exist. The names of the categories are Adult's; how often each occurs and
how one thing follows from another is set by hand below. Income follows from age, education,
marriage, occupation, hours and capital gains, in part jointly, so that a linear model finds
some of it and a deep one more.
"""

import os

import numpy as np

_TRAIN_ROWS, _TEST_ROWS = 4000, 2000
_RICH = 0.24

_EDUCATION = (
    "Preschool 1st-4th 5th-6th 7th-8th 9th 10th 11th 12th HS-grad Some-college Assoc-voc "
    "Assoc-acdm Bachelors Masters Prof-school Doctorate"
)
_EDUCATION_WEIGHT = [4, 6, 10, 20, 16, 28, 36, 13, 322, 223, 42, 33, 165, 53, 18, 13]

_WORKCLASS = {
    "Private": 69.0,
    "Self-emp-not-inc": 8.0,
    "Local-gov": 6.4,
    "?": 5.6,
    "State-gov": 4.0,
    "Self-emp-inc": 3.4,
    "Federal-gov": 3.0,
    "Without-pay": 0.3,
    "Never-worked": 0.3,
}

# How common an occupation is, the years of education that go with it, and what it earns.
_OCCUPATION = {
    "Prof-specialty": (1.3, 13.5, 0.6),
    "Craft-repair": (1.3, 9.0, 0.1),
    "Exec-managerial": (1.3, 12.0, 0.9),
    "Adm-clerical": (1.2, 10.0, 0.0),
    "Sales": (1.1, 10.5, 0.3),
    "Other-service": (1.0, 8.5, -0.9),
    "Machine-op-inspct": (0.6, 8.5, -0.3),
    "Transport-moving": (0.5, 9.0, -0.1),
    "Handlers-cleaners": (0.4, 8.5, -0.7),
    "Farming-fishing": (0.3, 8.5, -1.0),
    "Tech-support": (0.3, 11.5, 0.5),
    "Protective-serv": (0.2, 10.5, 0.5),
    "Priv-house-serv": (0.1, 8.0, -1.5),
    "Armed-Forces": (0.05, 10.0, 0.0),
}

_RACE = {
    "White": 85.0,
    "Black": 9.6,
    "Asian-Pac-Islander": 3.2,
    "Amer-Indian-Eskimo": 1.2,
    "Other": 1.0,
}

_HOME, _UNKNOWN = 89.0, 1.5
_ABROAD = (
    "Cambodia Canada China Columbia Cuba Dominican-Republic Ecuador El-Salvador England France "
    "Germany Greece Guatemala Haiti Holand-Netherlands Honduras Hong Hungary India Iran Ireland "
    "Italy Jamaica Japan Laos Mexico Nicaragua Outlying-US(Guam-USVI-etc) Peru Philippines Poland "
    "Portugal Puerto-Rico Scotland South Taiwan Thailand Trinadad&Tobago Vietnam Yugoslavia"
)

_GAINS = (594, 2174, 3103, 4386, 5178, 7298, 7688, 15024, 99999)
_LOSSES = (1408, 1590, 1672, 1740, 1887, 1902, 1977, 2415)


def write_sample(folder: str, seed: int = 0) -> None:
    """Writes `adult.data` and `adult.test` into an existing folder; one seed, one content.

    The files have Adult's ways: a space after each comma, `?` for what is not known, a first line
    that is no row in `adult.test` and a full stop after each of its rows, and an empty last line.

    Args:
        folder: Where to write.
        seed: Determines every byte.
    """
    rows = _draw_rows(_TRAIN_ROWS + _TEST_ROWS, np.random.default_rng(seed))
    train, test = rows[:_TRAIN_ROWS], rows[_TRAIN_ROWS:]
    _write(folder, "adult.data", [*train, ""])
    _write(folder, "adult.test", ["|1x3 Cross validator", *(f"{row}." for row in test), ""])


def _draw_rows(count: int, rng: np.random.Generator) -> list[str]:
    age = np.clip(17 + rng.gamma(2.2, 10.0, count), 17, 90).astype(int)
    male = rng.random(count) < 0.67
    years = rng.choice(16, count, p=_shares(_EDUCATION_WEIGHT)) + 1
    # Nobody is a doctor at twenty.
    years = np.minimum(years, np.where(age < 22, 10, np.where(age < 26, 13, 16)))
    marital, relationship = _draw_families(age, male, rng)
    married = marital == "Married-civ-spouse"
    workclass = _draw(_WORKCLASS, count, rng)
    occupation, pay = _draw_occupations(years, workclass, rng)
    hours = 40 + rng.choice([-20, -5, 0, 5, 10, 20], count, p=[0.12, 0.1, 0.48, 0.1, 0.14, 0.06])
    hours = np.clip(hours + rng.integers(-2, 3, count) * (rng.random(count) < 0.3), 1, 99)
    gain = np.where(rng.random(count) < 0.085, rng.choice(_GAINS, count), 0)
    loss = np.where((rng.random(count) < 0.047) & (gain == 0), rng.choice(_LOSSES, count), 0)
    weight = np.exp(rng.normal(12.0, 0.5, count)).astype(int)
    countries = {"United-States": _HOME, "?": _UNKNOWN}
    countries |= dict.fromkeys(_ABROAD.split(), (100 - _HOME - _UNKNOWN) / len(_ABROAD.split()))

    prime = -(((age - 48) / 14.0) ** 2)
    schooling = (years - 10) / 2.5
    merit = (
        2.2 * married
        + 0.9 * np.maximum(prime, -4)
        + 0.9 * schooling
        + pay
        + 0.5 * pay * schooling
        + 0.05 * np.clip(hours - 40, -30, 20)
        + 4.0 * (gain > 5000)
        - 1.5 * ((gain > 0) & (gain < 5000))
        + 1.5 * np.isin(loss, (1887, 1902, 1977))
        + 0.5 * (workclass == "Self-emp-inc")
        + rng.logistic(scale=0.6, size=count)
    )
    rich = merit > np.quantile(merit, 1 - _RICH)
    columns = (
        age,
        workclass,
        weight,
        np.array(_EDUCATION.split())[years - 1],
        years,
        marital,
        occupation,
        relationship,
        _draw(_RACE, count, rng),
        np.where(male, "Male", "Female"),
        gain,
        loss,
        hours,
        _draw(countries, count, rng),
        np.where(rich, ">50K", "<=50K"),
    )
    return [", ".join(map(str, row)) for row in zip(*columns, strict=True)]


def _draw_families(
    age: np.ndarray, male: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns marital_status and relationship, which fit each other and the age."""
    count = len(age)
    chance = np.clip((age - 20) / 20, 0, 1)
    marital = np.where(rng.random(count) < 0.72 * chance, "Married-civ-spouse", "Never-married")
    once = {
        "Divorced": 62.0,
        "Separated": 14.0,
        "Widowed": 14.0,
        "Married-spouse-absent": 6.0,
        "Married-AF-spouse": 4.0,
    }
    alone = (marital == "Never-married") & (rng.random(count) < 0.6 * chance)
    marital = np.where(alone, _draw(once, count, rng), marital)
    single = _draw({"Not-in-family": 55.0, "Unmarried": 25.0, "Other-relative": 7.0}, count, rng)
    child = (marital == "Never-married") & (rng.random(count) < np.clip((35 - age) / 15, 0.05, 1))
    couple = np.isin(marital, ("Married-civ-spouse", "Married-AF-spouse"))
    relationship = np.where(child, "Own-child", single)
    return marital, np.where(couple, np.where(male, "Husband", "Wife"), relationship)


def _draw_occupations(
    years: np.ndarray, workclass: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the occupation, which goes with the education, and what it adds to an income."""
    names = np.array(list(_OCCUPATION))
    common, schooling, pay = np.array(list(_OCCUPATION.values())).T
    fit = np.log(common) - ((years[:, None] - schooling) / 3.0) ** 2
    # The largest of log weights with Gumbel noise is a draw by weight.
    chosen = (fit + rng.gumbel(size=fit.shape)).argmax(axis=1)
    idle = np.isin(workclass, ("?", "Never-worked"))
    return np.where(idle, "?", names[chosen]), np.where(idle, -1.0, pay[chosen])


def _draw(weights: dict[str, float], count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(list(weights), count, p=_shares(list(weights.values())))


def _shares(weights: list[float] | list[int]) -> np.ndarray:
    return np.array(weights) / np.sum(weights)


def _write(folder: str, name: str, lines: list[str]) -> None:
    with open(os.path.join(folder, name), "w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
