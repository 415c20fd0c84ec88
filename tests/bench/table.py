"""Figures and how they are printed: one plain table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HEADINGS = ("bench", "figure", "unit", "n", "p50", "p95", "p99", "target", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row. Many `values` are shown as p50, p95 and p99, a single one under p50."""

    name: str
    unit: str
    values: Sequence[float]
    at_most: Mapping[str, float] = field(default_factory=dict)
    """Targets by column: p50, p95, p99, or max."""

    @property
    def verdict(self) -> str:
        if not self.at_most:
            return ""
        if not self.values:
            return "none"
        met = all(self.at(column) <= limit for column, limit in self.at_most.items())
        return "ok" if met else "over"

    def at(self, column: str) -> float:
        return max(self.values) if column == "max" else percentile(self.values, float(column[1:]))


def one(name: str, unit: str, value: float, *, at_most: float | None = None) -> Figure:
    return Figure(name=name, unit=unit, values=[value], at_most={} if at_most is None else {"p50": at_most})


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: always a value that was measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def table(rows: Sequence[tuple[str, Figure]]) -> str:
    lines = [HEADINGS, *(_cells(bench, figure) for bench, figure in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Aligns words left and numbers right."""
    placed = [
        cell.rjust(width) if 3 <= column <= 6 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(placed).rstrip()


def _cells(bench: str, figure: Figure) -> tuple[str, ...]:
    count = len(figure.values)
    shown = ("p50", "p95", "p99") if count > 1 else ("p50",)[:count]
    values = [_short(figure.at(column)) for column in shown]
    return (
        bench,
        figure.name,
        figure.unit,
        str(count),
        *values,
        *[""] * (3 - len(values)),
        _target(figure),
        figure.verdict,
    )


def _target(figure: Figure) -> str:
    if len(figure.values) <= 1 and set(figure.at_most) == {"p50"}:
        return f"<= {_short(figure.at_most['p50'])}"
    return ", ".join(f"{column} <= {_short(limit)}" for column, limit in figure.at_most.items())


def _short(value: float) -> str:
    if value and abs(value) < 10:
        return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 else f"{value:.3f}"
    return f"{value:.1f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:.0f}"
