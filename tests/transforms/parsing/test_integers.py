import pytest

from transforms.parsing.integers import integer_fault


@pytest.mark.parametrize("text", ["0", "-0", "007", f"{-(2**63)}", f"{2**63 - 1}", "0" * 40 + "1"])
def test_what_fits_64_bits_has_no_fault(text):
    assert integer_fault(text) == ""


@pytest.mark.parametrize("text", [f"{2**63}", f"{-(2**63) - 1}", "9" * 10_000])
def test_what_does_not_fit_is_told_from_what_is_no_integer(text):
    assert integer_fault(text) == "outside the range of int64"


@pytest.mark.parametrize("text", ["", "-", "+1", "1.0", "1_0", " 1", "1\n", "\u0661"])
def test_what_is_no_integer_is_told(text):
    assert integer_fault(text) == "not an integer"
