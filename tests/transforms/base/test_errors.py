import apache_beam as beam
import pytest

from components.data_gate.errors import DataGateError
from transforms.base.errors import UserError, find_user_error
from transforms.base.in_process_beam import LOCAL_RUNNER


def _fail(_):
    raise UserError("ratings.dat:3: rating 'x' is not a number")


def test_an_error_comes_out_of_a_beam_pipeline_as_it_went_in():
    with pytest.raises(Exception) as caught, beam.Pipeline(LOCAL_RUNNER) as pipeline:
        pipeline | beam.Create([0]) | beam.Map(_fail)
    assert str(find_user_error(caught.value)) == "ratings.dat:3: rating 'x' is not a number"


def test_an_error_is_found_in_another_process_traceback():
    text = (
        'Traceback (most recent call last):\n  File "x.py", line 3, in f\n'
        "transforms.base.errors.UserError: a:1: bad [while running 'Read']\n"
    )
    assert str(find_user_error(RuntimeError(text))) == "a:1: bad"


def test_an_error_is_found_behind_its_consequences():
    try:
        try:
            raise DataGateError("refused")
        except UserError as error:
            raise RuntimeError("wrapped") from error
    except RuntimeError as error:
        found = find_user_error(error)
    assert isinstance(found, DataGateError) and str(found) == "refused"


def test_an_error_is_found_behind_another_fault_while_it_was_handled():
    def handle():
        try:
            raise DataGateError("refused")
        except UserError:
            raise RuntimeError("and the folder could not be removed")  # noqa: B904

    with pytest.raises(RuntimeError) as caught:
        handle()
    assert str(find_user_error(caught.value)) == "refused"


def test_a_fault_is_not_a_user_error():
    assert find_user_error(RuntimeError("boom")) is None
