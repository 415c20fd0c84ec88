"""Joins the pages of a backend's job list into one run without gaps."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.backends.job_listing import JobPage, ListedJob
from services.core.model import Generation


@dataclass(slots=True)
class _Run:
    """Consecutive items of the list, newest first."""

    items: set[str] = field(default_factory=set)
    last: tuple[str, ...] = ()
    """Its last item, if any."""
    end: int = 0
    """Offset of the first item behind the run."""
    oldest: float = float("inf")
    """Creation time of its oldest job, by the backend's clock."""


class JobList:
    """All jobs from the newest back to `oldest`, read page by page.

    The list changes between two requests: new jobs move the items to higher offsets, deleted jobs to lower
    ones. Each page therefore starts with the last item of the one before it. A page without a known item may
    follow a gap: it is discarded, and the next request starts one page further up. A round that ended early
    keeps its run; the next round reads from the front until it reaches that run and continues behind it.
    """

    def __init__(self) -> None:
        self.skip = 0
        """Offset of the next page."""
        self.complete = False
        """The end of the list was reached."""
        self._jobs: defaultdict[tuple[str | None, float | None], dict[str, ListedJob]] = defaultdict(dict)
        self._run = _Run()
        self._earlier = _Run()
        self._page_size = 1

    @property
    def depth(self) -> int:
        """How many items were read, of both runs where they do not meet yet."""
        return self._run.end + self._earlier.end

    @property
    def oldest(self) -> float:
        """Every job created later is in here; by the backend's clock."""
        return float("-inf") if self.complete else self._run.oldest

    def jobs_like(self, generations: Iterable[Generation]) -> list[ListedJob]:
        """Those with the prompt and the seed of one of them."""
        keys = {(each.request.prompt, each.request.seed) for each in generations}
        return [job for key in keys for job in self._jobs.get(key, {}).values()]

    def start_round(self) -> None:
        """Read from the front again: what is new stands there."""
        if not self._earlier.items:
            self._earlier = self._run
        self._run, self.skip = _Run(), 0

    def add(self, page: JobPage) -> bool:
        """False where it held nothing new."""
        ids = {item_id for item_id in page.item_ids if item_id}
        if self.skip and self._run.items.isdisjoint(ids):
            self._step_back()
            return True
        if self._run.items.isdisjoint(ids):
            self._run = _Run()
        new = not self._run.items.issuperset(ids)
        repeats_the_last = page.item_ids[-1:] == self._run.last and self.skip == max(0, self._run.end - 1)
        for job in page.jobs:
            self._jobs[job.prompt, job.seed][job.job_id] = job
        self._page_size = max(self._page_size, len(page.item_ids))
        self._run.items |= ids
        self._run.end, self._run.last = self.skip + len(page.item_ids), page.item_ids[-1:]
        self._run.oldest = min(self._run.oldest, _oldest_in(page))
        if not self._earlier.items.isdisjoint(ids):
            self._join_earlier()
        self.skip = max(0, self._run.end - 1)
        self.complete = not page.more
        if page.more is None:
            self.complete = not new and repeats_the_last
        return new

    def _step_back(self) -> None:
        self.skip = max(0, self.skip - max(1, self._page_size - 1))
        if self.skip == 0:
            self._run = _Run()

    def _join_earlier(self) -> None:
        run, earlier = self._run, self._earlier
        moved_end = earlier.end + len(run.items - earlier.items)
        if moved_end > run.end:
            run.end, run.last = moved_end, earlier.last
        run.oldest = min(run.oldest, earlier.oldest)
        run.items |= earlier.items
        self._earlier = _Run()


def _oldest_in(page: JobPage) -> float:
    """Where the page is not in order its newest job counts: older ones prove nothing about the next page."""
    times = [job.created_at for job in page.jobs if job.created_at is not None]
    if not times:
        return float("inf")
    return times[-1] if times == sorted(times, reverse=True) else max(times)
