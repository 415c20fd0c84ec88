"""Counts late results for the line "late" of the promise table, from every published event."""

from __future__ import annotations

from collections import defaultdict

from services.core.model import Generation
from tests.support.engine_harness import EngineHarness
from tests.support.proof_counts import proven


def count_late(harness: EngineHarness) -> None:
    """After a scenario and all its restarts."""
    snapshots = [one for one in harness.events if isinstance(one, Generation)]
    results, holders = defaultdict(set), defaultdict(set)
    for one in snapshots:
        if one.receipt is not None:
            results[one.id].add(one.receipt.kept_at)
        if one.job_id is not None:
            holders[one.job_id].add(one.id)
    late = {one.id for one in snapshots if one.receipt is not None and one.receipt.late_s is not None}
    unwanted = {one.id for one in snapshots if one.unwanted}
    proven(
        "late",
        stories=1,
        results=len(results),
        late=len(late),
        not_wanted=len(unwanted),
        delivered_twice=sum(1 for times in results.values() if len(times) > 1),
        adopted_twice=sum(1 for ids in holders.values() if len(ids) > 1),
    )
