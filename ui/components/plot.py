"""Plots rendered as SVG, so that they follow the theme's CSS variables."""

import json
import math
from collections.abc import Sequence
from typing import Any

from nicegui import ui

FONT = {"fontFamily": "system-ui, sans-serif", "fontSize": 11, "color": "var(--quiet)"}
SMALLEST_S = 0.001
"""A logarithmic axis has no zero."""


class Plot:
    """A heading, a sentence that says the same, and the chart."""

    def __init__(self, title: str) -> None:
        with ui.element("figure").classes("r-plot r-panel") as self.box:
            with ui.element("figcaption"):
                with ui.element("h3").classes("r-h2"):
                    ui.label(title)
                self.sentence = ui.label().classes("r-plot-sentence")
            with ui.element("div").props("role=img") as self.picture:
                self.chart = ui.echart({}, renderer="svg").classes("r-plot-drawing")
        self.picture.props["aria-label"] = title

    def show(self, sentence: str, options: dict[str, Any]) -> None:
        if self.sentence.text == sentence and self.chart.options == options:
            return
        self.sentence.text = sentence
        self.picture.props["aria-label"] = sentence
        self.chart._props["options"] = options
        self.chart.update()


def bars(name: str, values: Sequence[float], colour: str, *, hatched: bool = False) -> dict[str, Any]:
    """One stacked series."""
    style: dict[str, Any] = {"color": colour}
    if hatched:
        style["opacity"] = 0.55
    return {
        "type": "bar",
        "name": name,
        "data": list(values),
        "stack": "all",
        "barMaxWidth": 28,
        "itemStyle": style,
        "emphasis": {"disabled": True},
    }


def curve(name: str, values: Sequence[float | None], colour: str, dash: str, symbol: str) -> dict[str, Any]:
    """One line of seconds; `symbol` is the shape of its points."""
    return {
        "type": "line",
        "name": name,
        "data": [None if value is None else round(max(SMALLEST_S, value), 3) for value in values],
        "symbol": symbol,
        "symbolSize": 7,
        "connectNulls": True,
        "lineStyle": {"color": colour, "width": 1.6, "type": dash},
        "itemStyle": {"color": colour},
        "emphasis": {"disabled": True},
    }


def over_time(
    slots: Sequence[str], series: list[dict[str, Any]], *, unit: str = "", log: bool = False
) -> dict[str, Any]:
    """`unit` is a template with {figure}; empty for plain numbers."""
    scale = {"type": "log", "min": _axis_minimum(series)} if log else {"minInterval": 0 if unit else 1}
    return _chart(series) | {
        "xAxis": _categories(slots) | {"axisLabel": FONT | {"hideOverlap": True}},
        "yAxis": _values(unit) | scale,
    }


def _axis_minimum(series: list[dict[str, Any]]) -> float:
    """Returns the power of ten below all values."""
    lowest = min((value for one in series for value in one["data"] if value is not None), default=SMALLEST_S)
    return float(10 ** math.floor(math.log10(max(SMALLEST_S, lowest))))


def by_name(names: Sequence[str], values: Sequence[int], name: str, colour: str) -> dict[str, Any]:
    """Horizontal bars with their names, the first on top."""
    series = bars(name, values, colour) | {
        "barMaxWidth": 18,
        "label": {"show": True, "position": "right"} | FONT,
    }
    return _chart([series], legend=False) | {
        "xAxis": _values("") | {"minInterval": 1},
        "yAxis": _categories(names)
        | {"inverse": True, "axisLabel": FONT | {"width": 150, "overflow": "truncate"}},
    }


def _chart(series: list[dict[str, Any]], *, legend: bool = True) -> dict[str, Any]:
    legend = legend and len(series) > 1
    return {
        "animation": False,
        "textStyle": FONT,
        "grid": {
            "left": 4,
            "right": 14 if legend else 34,
            "top": 34 if legend else 12,
            "bottom": 4,
            "containLabel": True,
        },
        "legend": {
            "show": legend,
            "left": 0,
            "top": 0,
            "itemWidth": 18,
            "itemHeight": 8,
            "textStyle": FONT,
            "selectedMode": False,
        },
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": "var(--raised)",
            "borderColor": "var(--line)",
            "textStyle": FONT | {"color": "var(--text)", "fontSize": 12},
            "axisPointer": {"type": "line", "lineStyle": {"color": "var(--field-line)"}},
        },
        "series": series,
    }


def _categories(names: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "category",
        "data": list(names),
        "axisLine": {"lineStyle": {"color": "var(--line)"}},
        "axisTick": {"show": False},
        "axisLabel": FONT,
    }


def _values(unit: str) -> dict[str, Any]:
    template = json.dumps(unit or "{figure}")
    figure = "value.toLocaleString(document.documentElement.lang)"
    return {
        "type": "value",
        "splitNumber": 3,
        "axisLabel": FONT | {":formatter": f"(value) => {template}.replace('{{figure}}', {figure})"},
        "splitLine": {"lineStyle": {"color": "var(--line)"}},
    }
