"""The log lines that pages may cause."""

from __future__ import annotations

import logging

import pytest

from ui.session.socket_events import MAX_LINES, MAX_MESSAGE_CHARS, WINDOW_S, PageLog, one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\x1b[31m\u2028", "a\\nb\\r\\x1b[31m\\u2028"),
        ("Ошибка 🎬", "Ошибка 🎬"),
        ("\ud800", "\\ud800"),
        ("x" * 1000, "x" * (MAX_MESSAGE_CHARS - 1) + "…"),
    ],
)
def test_a_message_is_one_short_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_page_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    pages = PageLog(now=lambda: now[0])
    with caplog.at_level(logging.INFO):
        for _ in range(MAX_LINES * 10):
            pages.malformed("event")
        assert len(caplog.messages) == MAX_LINES
        now[0] += WINDOW_S
        pages.malformed("event")
    assert caplog.messages[MAX_LINES:] == [
        f"Messages of pages that were not logged: {MAX_LINES * 9}.",
        "A malformed message of a page was ignored (event).",
    ]
