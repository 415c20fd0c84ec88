"""The lines of the promise table: each claim and the command that proves it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

ALL = ("-m", "")
"""Includes the long tests, which plain pytest leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    name: str
    claim: str
    command: tuple[str, ...]


def tests(*paths: str, dist: str = "loadfile") -> tuple[str, ...]:
    """Two at a time, a file's tests in one process; with `dist="worksteal"` in both."""
    return (sys.executable, "-m", "pytest", "-n", "2", "--dist", dist, "-rA", *ALL, *paths)


LINES: tuple[Line, ...] = (
    Line(
        name="one engine",
        claim="Twenty delivery scenarios through video page, image page, chat and API end alike",
        command=tests("tests/services/app/test_one_engine.py"),
    ),
    Line(
        name="lives",
        claim="Random interleavings of both channels, crashes, stops and second tries",
        command=tests("tests/services/generations/test_interleavings.py"),
    ),
    Line(
        name="late",
        claim="After a lost answer, the message, a restart, a stop or the end of the watch the result still arrives, once",
        command=tests(
            "tests/services/generations/reconciler",
            "tests/services/generations/test_reconciler_over_http.py",
            "tests/services/generations/test_unwanted.py",
            "tests/ui/test_unwanted.py",
            "tests/ui/browser/test_unwanted.py",
        ),
    ),
    Line(
        name="matrix",
        claim="Every fault at every point, from the submit to the commit, over real sockets",
        command=tests("tests/matrix"),
    ),
    Line(
        name="drill",
        claim="The drill holds on this build, and is red for each rule that is switched off",
        command=tests(
            "tests/services/diagnostics/drill",
            "tests/services/diagnostics/runs",
            "tests/ui/test_checkup.py",
            "tests/mutants/test_drill_expectations.py",
            dist="worksteal",
        ),
    ),
    Line(
        name="mutants",
        claim="Builds with one rule broken on purpose: a test detects each",
        command=(sys.executable, "-m", "tests.mutants"),
    ),
    Line(
        name="doctor",
        claim="Behind a real nginx the doctor names what buffers, cuts or refuses, and nothing else",
        command=tests("tests/services/diagnostics/doctor", "tests/ui/browser/test_checkup.py"),
    ),
    Line(
        name="kills",
        claim="Kill, stop beyond the lease, exception and cancel at every boundary of a generation's life",
        command=tests(
            "tests/proof/test_delivery_failpoints.py",
            "tests/proof/test_lifecycle_failpoints.py",
            "tests/services/app/test_kill.py",
            "tests/services/app/test_kill_animatic.py",
            "tests/services/app/test_shutdown.py",
        ),
    ),
    Line(
        name="loop",
        claim="Generations at a paid backend without keys, with kill -9 every one to two seconds",
        command=tests("tests/proof/test_kill_loop.py"),
    ),
    Line(
        name="leases",
        claim="Two watchers on one database, one of which is paused until its leases have expired",
        command=tests("tests/proof/test_two_watchers.py"),
    ),
    Line(
        name="pages",
        claim="Every page in both themes, in a real browser, as axe-core sees it",
        command=tests("tests/ui/browser/test_accessible.py"),
    ),
    Line(
        name="many open",
        claim="Two thousand generations open in one process: from finished at the backend to stored here",
        command=(sys.executable, "-m", "tests.bench", "many_open"),
    ),
    Line(
        name="bad input",
        claim="Bad input of every kind: bounded memory, reported in the trace, nothing else harmed",
        command=tests("tests/bad_input", "tests/services/media/test_public_downloads.py"),
    ),
)
