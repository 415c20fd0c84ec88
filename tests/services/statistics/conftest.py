from __future__ import annotations

import pytest

from tests.support.library_harness import LibraryHarness
from tests.support.statistics_parts import NOON


@pytest.fixture
def harness(library_harness: LibraryHarness) -> LibraryHarness:
    library_harness.statistics._now = lambda: NOON
    return library_harness
