import itertools
import re

import numpy as np
import pytest

from pipeline.run.report.charts import bars, dots, lines


def numbers(text):
    return [float(number) for number in re.findall(r"-?[\d.]+", text)]


def rectangles(svg, series):
    """Left, top, right and bottom of each bar of a series."""
    drawn = rf'd="([^"]*)" clip-path="[^"]*" style="fill: var\(--series-{series}\)"'
    corners = [np.reshape(numbers(path), (-1, 2)) for path in re.findall(drawn, svg)]
    return [(*corner.min(axis=0), *corner.max(axis=0)) for corner in corners]


def markers(svg, colour="series-1"):
    """The place of each dot."""
    drawn = rf'<use xlink:href="[^"]*" x="([\d.]+)" y="([\d.]+)" style="fill: var\(--{colour}\)'
    return np.array([tuple(map(float, place)) for place in re.findall(drawn, svg)])


def texts(svg):
    """What is written, with the height that it stands at."""
    return [
        (words, float(height))
        for height, words in re.findall(r'<text [^>]*? y="(-?[\d.]+)"[^>]*>([^<]*)</text>', svg)
    ]


def size(svg):
    """Width and height of the drawing."""
    return numbers(re.search(r'viewBox="0 0 ([^"]*)"', svg)[1])


def test_a_bar_is_as_long_as_its_value_from_nothing_on_with_the_first_label_on_top():
    svg = bars("b", ["x", "y", "z"], {"of": [1.0, 4.0, 0.5]}, "shares")
    drawn = rectangles(svg, 1)
    assert len({left for left, *_ in drawn}) == 1
    lengths = np.array([right - left for left, _, right, _ in drawn])
    np.testing.assert_allclose(lengths / lengths[0], [1, 4, 0.5], rtol=1e-4)
    # Each stands by itself, with a gap to the next, and its label is beside it.
    for (_, _, _, bottom), (_, top, _, _) in itertools.pairwise(drawn):
        assert 0 < top - bottom < bottom - drawn[0][1]
    heights = dict(texts(svg))
    for label, (_, top, _, bottom) in zip("xyz", drawn, strict=True):
        assert top < heights[label] < bottom + 3
    assert "shares" in heights and "of" not in heights


def test_bars_of_two_series_stand_together_at_their_label_and_are_named():
    svg = bars("b", ["x", "y"], {"this": [1.0, 2.0], "that": [3.0, 4.0]}, "")
    first, second = rectangles(svg, 1), rectangles(svg, 2)
    for (_, top, _, bottom), (_, below, _, end) in zip(first, second, strict=True):
        assert 0 < below - bottom < 0.3 * (bottom - top)
        assert end - below == pytest.approx(bottom - top)
    # The gap between labels is wider than that within one.
    assert first[1][1] - second[0][3] > second[0][1] - first[0][3]
    heights = dict(texts(svg))
    # A label is beside the middle of its bars.
    for label, (_, top, *_), (*_, end) in zip("xy", first, second, strict=True):
        assert heights[label] == pytest.approx((top + end) / 2, abs=5)
    assert {"this", "that"} <= heights.keys() and heights["this"] < heights["x"]


def test_a_dot_is_where_its_value_is_and_a_line_where_the_reference():
    svg = dots("d", ["x", "y", "z"], [0.5, 0.7, 0.6], {"all": 0.65})
    places = markers(svg)
    x, y = places.T
    np.testing.assert_allclose((x - x[0]) / (x[1] - x[0]), [0, 1, 0.5], atol=1e-4)
    assert y[0] < y[1] < y[2]
    (line,) = re.findall(r'd="([^"]*)" clip-path="[^"]*" style="[^"]*dash[^"]*bound\)', svg)
    left, top, right, bottom = numbers(line)
    assert left == right == pytest.approx(x[0] + 0.75 * (x[1] - x[0]), abs=1e-3)
    # From end to end, and so beyond the first dot and the last.
    assert min(top, bottom) < y[0] - 5 and y[2] + 5 < max(top, bottom)
    assert "all" in dict(texts(svg))
    # No line joins the dots, nor is a name given to what stands alone.
    assert not re.search(r'd="[^"]*" clip-path="[^"]*" style="fill: none; stroke: var\(--ser', svg)
    assert {words for words, _ in texts(dots("d", ["x"], [1.0], {}))} & {"all"} == set()


def test_a_line_goes_through_its_points_and_counts_whole_epochs():
    svg = lines("l", [1, 2, 3], [0.9, 0.5, 0.6], "epoch")
    x, y = markers(svg).T
    assert x[1] - x[0] == pytest.approx(x[2] - x[1], abs=1e-3)
    np.testing.assert_allclose((y - y[1]) / (y[0] - y[1]), [1, 0, 0.25], atol=1e-3)
    (path,) = re.findall(r'd="([^"]*)" clip-path="[^"]*" style="fill: none; stroke: var\(--s', svg)
    np.testing.assert_allclose(np.reshape(numbers(path), (-1, 2)), np.c_[x, y], atol=1e-3)
    written = [words for words, _ in texts(svg)]
    assert "epoch" in written and {"1", "2", "3"} <= set(written) and "1.5" not in written


def test_a_chart_grows_with_its_rows_and_not_in_width():
    def height(rows, series=1):
        labels = [str(row) for row in range(rows)]
        svg = bars("b", labels, {str(s): [1.0] * rows for s in range(series)}, "")
        width, height = size(svg)
        assert width == size(dots("d", labels, [1.0] * rows, {}))[0]
        return height

    step = height(5) - height(4)
    assert height(9) - height(4) == pytest.approx(5 * step) and step > 10
    # Two series take more room, but not twice as much.
    assert step < height(5, 2) - height(4, 2) < 2 * step
    assert size(dots("d", list("abcd"), [1.0] * 4, {}))[1] == height(4)


@pytest.mark.parametrize(
    "draw",
    [
        lambda name: bars(name, ["x"], {"a": [1.0], "b": [2.0]}, "unit"),
        lambda name: dots(name, ["x"], [1.0], {"ref": 2.0}),
        lambda name: lines(name, [1, 2], [1.0, 2.0], "epoch"),
    ],
)
def test_a_drawing_has_the_pages_colours_and_ids_of_its_own(draw):
    svg = draw("own")
    assert svg.startswith("<svg ") and svg.count("<svg") == 1
    assert "var(--grid)" in svg and not re.search(r"(?:fill|stroke): ?#", svg)
    written = re.findall(r"<text [^>]*>", svg)
    assert written and all("var(--ink)" in text for text in written)
    ids = re.findall(r'\bid="([^"]*)"', svg)
    assert ids and len(ids) == len(set(ids)) and all(name.startswith("own-") for name in ids)
    assert set(re.findall(r'(?:href="#|url\(#)([^")]*)', svg)) <= set(ids)
    # Neither when nor with what it was drawn, nor a frame above or to the right of it.
    assert "<metadata" not in svg
    edges = re.findall(r'id="own-patch_\d+">\s*<path d="([^"]*)" style="fill: none; stroke', svg)
    assert len(edges) == 2


@pytest.mark.parametrize(
    "draw",
    [
        lambda: bars("b", ["x", "y"], {"a": [0.0, 37.0], "b": [2.0, 5.0]}, ""),
        lambda: dots("d", ["x", "y"], [0.123, 37.0], {"ref": 2.0}),
    ],
)
def test_few_lines_and_numbers_help_to_read_values_and_lie_behind_them(draw):
    svg = draw()
    x, y = markers(svg, "grid").T
    # Of the axis below alone: labels need no mark.
    assert 3 <= len(x) <= 6 and len(set(y)) == 1
    grid = r'd="([^"]*)" clip-path="[^"]*" style="fill: none; stroke: var\(--grid\)'
    found = list(re.finditer(grid, svg))
    ends = [numbers(line[1])[::2] for line in found]
    assert ends == [[place, place] for place in x]
    assert found[-1].start() < svg.index("var(--series-1)")


def test_a_chart_fits_a_phone_with_letters_of_two_sizes():
    svg = bars("b", ["x"], {"this": [1.0], "that": [2.0]}, "unit")
    assert 320 < size(svg)[0] < 400
    sizes = {
        words: float(points)
        for points, words in re.findall(r"<text [^>]*?font-size: ([\d.]+)px[^>]*>([^<]*)<", svg)
    }
    assert sizes["this"] < sizes["x"] == sizes["unit"]


def test_a_dollar_sign_is_one():
    assert "a $x$" in dict(texts(bars("b", ["a $x$"], {"a": [1.0]}, "")))
