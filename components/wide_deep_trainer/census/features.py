"""Names of the census features, raw and transformed."""

LABEL = "label"

NUMERIC = {
    "age": 37,
    "education_num": 10,
    "capital_gain": 0,
    "capital_loss": 0,
    "hours_per_week": 40,
}
"""Raw int64 columns, transformed to float32 `scaled(name)` and `quantile(name)`, with what stands
for a value that a request lacks: Adult's median."""

REPEATED = ("capital_gain", "capital_loss")
"""Numeric columns whose few values are also a vocabulary, `value(name)`: two near amounts can mean
quite different things, as each is a line of the tax form."""

ONE_HOT = ("workclass", "education", "marital_status", "relationship")
"""What the 2018 deep model knows as one-hot vectors."""

VOCABULARY = (*ONE_HOT, "race", "gender", "native_country")
"""Raw strings, transformed to int64 positions in a vocabulary; one more stands for unseen ones."""

CATEGORICAL = (*VOCABULARY, "occupation")
"""All raw strings; occupation is hashed."""

AGE_BOUNDARIES = (18, 25, 30, 35, 40, 45, 50, 55, 60, 65)
"""An age equal to a boundary is in the bucket above it."""

HASHED = ("occupation", "education_x_occupation", "age_bucket_x_education_x_occupation")
"""Transformed to int64 hashes."""

WIDE = (*ONE_HOT, "age_bucket", *HASHED)
"""The linear model's transformed columns."""


def scaled(name: str) -> str:
    """Returns the name of a numeric column scaled to mean 0 and variance 1."""
    return f"{name}_scaled"


def quantile(name: str) -> str:
    """Returns the name of a numeric column's position among its quantiles."""
    return f"{name}_quantile"


def value(name: str) -> str:
    """Returns the name of a numeric column's position in the vocabulary of its values."""
    return f"{name}_value"
