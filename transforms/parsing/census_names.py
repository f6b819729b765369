"""What people call the columns of UCI Adult."""

LABEL = "income_bracket"

CENSUS_NAMES = {
    "age": (),
    "workclass": (),
    "fnlwgt": ("finalweight",),
    "education": (),
    "education_num": ("educationalnum", "educationyears"),
    "marital_status": ("marital",),
    "occupation": (),
    "relationship": (),
    "race": (),
    "gender": ("sex",),
    "capital_gain": (),
    "capital_loss": (),
    "hours_per_week": ("hours",),
    "native_country": ("country",),
    LABEL: ("income", "class", "label", "target", "salary"),
}
"""Other names of each, in the order of the published files, as `find_columns` takes them."""
