"""Charts as SVG for an HTML page, whose style sheet gives them their colours."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# About the width of a phone, so that text is there as large as it is drawn; a wide screen has
# several charts side by side.
_WIDTH = 4.8
_ROW = 0.24
_FRAME = 0.75
# What matplotlib draws with, and the page's colours that are put in place of it.
_INK, _GRID, _BOUND = "#000001", "#000002", "#000003"
_SERIES = ("#000004", "#000005")
_COLOURS = {
    _INK: "var(--ink)",
    _GRID: "var(--grid)",
    _BOUND: "var(--bound)",
    _SERIES[0]: "var(--series-1)",
    _SERIES[1]: "var(--series-2)",
}
_STYLE: Any = {
    "svg.fonttype": "none",
    # A dollar sign in a label is one, and begins no formula.
    "text.parse_math": False,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "text.color": _INK,
    "xtick.color": _GRID,
    "ytick.color": _GRID,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "legend.frameon": False,
    "legend.fontsize": 10,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def bars(
    name: str, labels: Sequence[str], series: Mapping[str, Sequence[float]], unit: str
) -> Markup:
    """Draws horizontal bars from 0, one for each label and series, the first label on top.

    Args:
        name: A unique name of the chart in its page, letters and digits.
        labels: What the bars stand for.
        series: Values by name; at most two.
        unit: What the axis shows.
    """
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(len(labels) * max(1.0, 0.7 * len(series)))
        height = 0.8 / len(series)
        for i, (title, values) in enumerate(series.items()):
            places = [row + (i - (len(series) - 1) / 2) * height for row in range(len(labels))]
            axes.barh(places, values, height * 0.9, label=title, color=_SERIES[i])
        return _finish(name, figure, axes, labels, unit, legend=len(series) > 1)


def dots(
    name: str,
    labels: Sequence[str],
    values: Sequence[float],
    references: Mapping[str, float],
) -> Markup:
    """Draws a dot for each label, on an axis that need not begin at 0.

    Args:
        name: As in `bars`.
        labels: What the dots stand for, the first on top.
        values: Where they are.
        references: Values to draw a line at, by name; at most one.
    """
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(len(labels))
        axes.plot(values, range(len(labels)), linestyle="", color=_SERIES[0], marker="o")
        for title, value in references.items():
            axes.axvline(value, color=_BOUND, linestyle="--", label=title)
        axes.set_ylim(-0.7, len(labels) - 0.3)
        axes.margins(x=0.1)
        return _finish(name, figure, axes, labels, "", legend=bool(references))


def lines(name: str, x: Sequence[float], y: Sequence[float], x_title: str) -> Markup:
    """Draws a line through points.

    Args:
        name: As in `bars`.
        x: Whole numbers, such as epochs.
        y: A value for each.
        x_title: What `x` is.
    """
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(7)
        axes.plot(x, y, color=_SERIES[0], marker="o", markersize=4)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(x_title)
        axes.grid(axis="y")
        return _svg(name, figure)


def _figure(rows: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, _FRAME + _ROW * rows), layout="constrained")
    return figure, figure.add_subplot()


def _finish(
    name: str, figure: Figure, axes: Axes, labels: Sequence[str], unit: str, legend: bool
) -> Markup:
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_xlabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    if legend:
        figure.legend(loc="outside upper left", ncols=3, columnspacing=1.0, handletextpad=0.4)
    return _svg(name, figure)


def _svg(name: str, figure: Figure) -> Markup:
    """Returns the figure as an element that can stand beside others in a page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    size = re.search(r'viewBox="[^"]+"', svg)
    assert size
    svg = f'<svg {size[0]} aria-hidden="true">{svg.partition(">")[2]}'
    # Ids are unique in a figure, but have to be so in the page.
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{name}-", svg)
    for drawn, shown in _COLOURS.items():
        svg = svg.replace(drawn, shown)
    # Matplotlib escapes the texts that it is given.
    return Markup(svg)
