"""Retention: keeps everything, or limits the age or the size. Starred items are never removed."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from services.core.errors import InvalidRequest
from services.core.log_failures import log_failures
from services.library.trash import Trash
from services.store.library import LibraryRows

log = logging.getLogger(__name__)

PREFERENCE = "retention"
DAY_S = 86_400.0
GB = 10**9
DAYS_IN_TRASH = 7
MAX_DAYS, MAX_GB = 36_500, 100_000
INTERVAL_S = 3600.0

Keep = Literal["all", "days", "size"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`days`: older items move to the trash, and are removed seven days later. `size`: above so many GB
    (10^9 bytes) of kept results the oldest are removed for good, those in the trash first.
    """

    keep: Keep = "all"
    days: int = 90
    gb: float = 50.0

    def check(self) -> None:
        """Raises InvalidRequest."""
        if not 1 <= self.days <= MAX_DAYS:
            raise InvalidRequest("Enter a number of days from 1 to {most}.", field="days", most=MAX_DAYS)
        if not 0.1 <= self.gb <= MAX_GB:
            raise InvalidRequest("Enter a size from 0.1 to {most} GB.", field="gb", most=MAX_GB)


class Retention:
    def __init__(self, rows: LibraryRows, trash: Trash, *, now: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._trash = trash
        self._now = now

    async def run(self) -> None:
        """Applies every owner's rule each hour, until cancelled."""
        while True:
            with log_failures("The rules for what stays could not be applied"):
                for owner in await self._rows.owners():
                    await self.apply(owner=owner)
            await asyncio.sleep(INTERVAL_S)

    async def rule(self, *, owner: str) -> Rule:
        """An unreadable rule keeps everything."""
        try:
            rule = Rule(**await self._rows.preference(PREFERENCE, owner=owner))
            rule.check()
        except (TypeError, InvalidRequest):
            return Rule()
        return rule if rule.keep in get_args(Keep) else Rule()

    async def set_rule(self, rule: Rule, *, owner: str) -> int:
        """Stores the rule and applies it at once; returns how many were affected. Raises InvalidRequest."""
        rule.check()
        await self._rows.set_preference(PREFERENCE, asdict(rule), owner=owner)
        return await self.apply(owner=owner)

    async def apply(self, *, owner: str) -> int:
        """Returns how many were moved to the trash or removed."""
        rule = await self.rule(owner=owner)
        if rule.keep == "all":
            return 0
        limit = self._limit_age if rule.keep == "days" else self._limit_size
        if count := await limit(rule, owner):
            log.info("%d generations went by the rule to keep %s.", count, rule.keep)
        return count

    async def _limit_age(self, rule: Rule, owner: str) -> int:
        before, trashed_before = (self._now() - days * DAY_S for days in (rule.days, DAYS_IN_TRASH))
        count = await self._trash.empty(owner=owner, trashed_before=trashed_before, starred=False)
        while old := await self._rows.retention_candidates(owner=owner, before=before):
            if not await self._trash.put([each.id for each in old], owner=owner):
                break
            count += len(old)
        return count

    async def _limit_size(self, rule: Rule, owner: str) -> int:
        """Removes in small steps, so that no more goes than must."""
        count = 0
        while (excess := await self.size_bytes(owner=owner) - int(rule.gb * GB)) > 0:
            removed = await self._trash.empty(owner=owner, starred=False, at_most=10)
            if not removed:
                ids = []
                for each in await self._rows.retention_candidates(owner=owner, limit=10, kept_only=True):
                    if excess > 0 and each.kept is not None:
                        ids.append(each.id)
                        excess -= each.kept.size_bytes
                await self._trash.put(ids, owner=owner)
                removed = await self._trash.empty(ids, owner=owner)
                if not removed:
                    break
            count += removed
        return count

    async def size_bytes(self, *, owner: str) -> int:
        """Of all kept results, including the trash."""
        return sum(total.size_bytes for total in await self._rows.totals(owner=owner))
