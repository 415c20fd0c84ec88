"""Retention: for ever, by age, or by size. Starred items are never removed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from services.core.errors import InvalidRequest
from services.core.log_failures import log_failures

if TYPE_CHECKING:
    from services.library.library import Library

log = logging.getLogger(__name__)

NAME = "retention"
DAY_S = 86_400.0
GB = 10**9
IN_TRASH_DAYS = 7
MOST_DAYS, MOST_GB = 36_500, 100_000
EVERY_S = 3600.0

Keep = Literal["all", "days", "size"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`days`: what is older goes into the trash, and out of it after seven more days. `size`: above so many
    GB (10^9 bytes) of kept results the oldest go for good, those in the trash first.
    """

    keep: Keep = "all"
    days: int = 90
    gb: float = 50.0


def checked(rule: Rule) -> Rule:
    """Raises InvalidRequest."""
    if not 1 <= rule.days <= MOST_DAYS:
        raise InvalidRequest("Give a number of days from 1 to {most}.", field="days", most=MOST_DAYS)
    if not 0.1 <= rule.gb <= MOST_GB:
        raise InvalidRequest("Give a size from 0.1 to {most} GB.", field="gb", most=MOST_GB)
    return rule


def read(stored: Any) -> Rule:
    """Anything that cannot be read keeps everything."""
    try:
        rule = checked(Rule(**stored))
    except (TypeError, InvalidRequest):
        return Rule()
    return rule if rule.keep in ("all", "days", "size") else Rule()


async def apply_for_ever(library: Library) -> None:
    """Every hour, beginning now; the engine owns the task."""
    while True:
        with log_failures("The rules for what stays could not be applied"):
            for owner in await library.owners():
                await apply(library, owner=owner)
        await asyncio.sleep(EVERY_S)


async def apply(library: Library, *, owner: str, now: Callable[[], float] = time.time) -> int:
    """How many were moved or removed."""
    rule = await library.rule(owner=owner)
    if rule.keep == "days":
        count = await _by_age(library, owner, now() - rule.days * DAY_S, now() - IN_TRASH_DAYS * DAY_S)
    elif rule.keep == "size":
        count = await _by_size(library, owner, int(rule.gb * GB))
    else:
        return 0
    if count:
        log.info("%d generations went by the rule to keep %s.", count, rule.keep)
    return count


async def _by_age(library: Library, owner: str, before: float, trashed_before: float) -> int:
    count = await library.empty(owner=owner, trashed_before=trashed_before, starred=False)
    while old := await library.oldest(owner=owner, before=before):
        if not await library.trash([each.id for each in old], owner=owner):
            break
        count += len(old)
    return count


async def _by_size(library: Library, owner: str, most_bytes: int) -> int:
    """In small steps, so that no more goes than has to."""
    count = 0
    while await library.size_bytes(owner=owner) > most_bytes:
        removed = await library.empty(owner=owner, starred=False, at_most=10)
        if not removed:
            oldest = await library.oldest(owner=owner, limit=10, kept_only=True)
            over = await library.size_bytes(owner=owner) - most_bytes
            going = []
            for each in oldest:
                if over > 0 and each.kept is not None:
                    going.append(each.id)
                    over -= each.kept.size_bytes
            if not going:
                return count
            await library.trash(going, owner=owner)
            removed = await library.empty(going, owner=owner)
            if not removed:
                return count
        count += removed
    return count
