"""The colours: named once, readable in both themes (WCAG 2.2 AA), and nothing from another host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LOOK = Path(__file__).parents[2] / "ui" / "look"
SHEETS = sorted(LOOK.glob("*.css"))
DARK, LIGHT = ":root {", ':root[data-theme="light"] {'
TEXT = 4.5
SHAPES = 3.0
PAIRS = [
    *(("text", ground, TEXT) for ground in ("ground", "panel", "raised")),
    *(("quiet", ground, TEXT) for ground in ("ground", "panel", "raised")),
    *((sign, ground, TEXT) for sign in ("push", "poll", "trouble") for ground in ("ground", "panel")),
    ("accent", "panel", TEXT),
    ("accent", "ground", SHAPES),
    ("on-accent", "accent", TEXT),
    ("on-gate", "gate", TEXT),
    ("on-gate-quiet", "gate", TEXT),
    ("field-line", "panel", SHAPES),
    ("field-line", "ground", SHAPES),
]


def colours(theme: str) -> dict[str, str]:
    sheet = (LOOK / "theme.css").read_text()
    named: dict[str, str] = {}
    for opening in (DARK, LIGHT) if theme == "light" else (DARK,):
        block = sheet.split(opening, 1)[1].split("}", 1)[0]
        named |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return named


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_what_is_written_can_be_read(theme: str, front: str, back: str, least: float) -> None:
    named = colours(theme)
    lighter, darker = sorted((luminance(named[front]), luminance(named[back])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_loads_nothing_from_elsewhere(sheet: Path) -> None:
    found = re.findall(r"url\(\"?([a-z]+):", sheet.read_text())
    assert set(found) <= {"data"}
    assert "@import" not in sheet.read_text()


def test_colours_are_written_in_one_place_only() -> None:
    parts = (LOOK / "parts.css").read_text()
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", parts)) <= {"#efe9e1"}


def test_reduced_motion_is_respected() -> None:
    assert "prefers-reduced-motion: reduce" in (LOOK / "theme.css").read_text()
