import dataclasses
import json
import math
from typing import Annotated

import pytest

from transforms.base.errors import UserError
from transforms.base.settings import Must, OneOf, Range, Settings, from_json, to_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Oven(Settings):
    heat: Annotated[float, Range(above=0, at_most=250, of=" degrees")]
    mode: Annotated[str, OneOf("fan", "grill")] = "fan"
    racks: Annotated[tuple[int, ...], Must("two or more", lambda racks: len(racks) > 1)] = (1, 3)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SmallOven(Oven):
    heat: float = 100.0
    racks: Annotated[tuple[int, ...], Must("three at most", lambda racks: len(racks) < 4)] = (1, 2)


@pytest.mark.parametrize(
    ("rule", "words", "inside", "outside"),
    [
        (Range(at_least=1), "at least 1", (1, 7), (0, -math.inf)),
        (Range(above=0), "above 0", (1e-9, math.inf), (0, -1)),
        (Range(at_most=5), "at most 5", (5, -5), (5.1,)),
        (Range(at_least=0, at_most=9), "from 0 to 9", (0, 9), (-1, 10)),
        (Range(above=0, below=1), "above 0 and below 1", (0.5,), (0, 1)),
        (Range(at_least=0, below=1), "at least 0 and below 1", (0, 0.5), (-0.1, 1)),
        (Range(above=0, at_most=5, of=" stars"), "above 0 and at most 5 stars", (5,), (0, 6)),
        (Range(above=0.5, of=", chance"), "above 0.5, chance", (0.6,), (0.5,)),
    ],
)
def test_a_range_says_in_words_what_it_checks(rule, words, inside, outside):
    assert rule.words == words
    for value in inside:
        rule.check("heat", value)
    for value in (*outside, math.nan):
        with pytest.raises(UserError) as caught:
            rule.check("heat", value)
        assert str(caught.value) == f"heat={value!r}: must be {words}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"heat": 0.0}, "heat=0.0: must be above 0 and at most 250 degrees"),
        ({"mode": "gril"}, "mode='gril': must be one of fan, grill; did you mean grill?"),
        ({"racks": (1,)}, "racks=(1,): must be two or more"),
        ({"heat": math.nan, "mode": "off"}, "heat=nan: must be above 0 and at most 250 degrees"),
    ],
)
def test_a_rule_holds_however_settings_are_made_the_first_fields_first(settings, message):
    good = Oven(heat=200.0)
    for make in (
        lambda: Oven(**{"heat": 200.0, **settings}),
        lambda: dataclasses.replace(good, **settings),
        lambda: from_json(Oven, json.dumps({**dataclasses.asdict(good), **settings})),
    ):
        with pytest.raises(UserError) as caught:
            make()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("settings", "rule"),
    [({"heat": 251.0}, "at most 250"), ({"racks": (1,)}, "two"), ({"racks": (1,) * 4}, "three")],
)
def test_a_rule_holds_where_a_subclass_gives_another_default_or_rule(settings, rule):
    with pytest.raises(UserError, match=rule):
        SmallOven(**settings)


def test_settings_survive_json():
    oven = Oven(heat=180.0, mode="grill", racks=(2, 4))
    assert from_json(Oven, to_json(oven)) == oven
