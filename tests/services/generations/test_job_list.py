"""A list that changes while it is read leaves no gap between its pages."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from services.backends.job_listing import JobPage, ListedJob
from services.generations.job_list import JobList
from tests.support.rows import a_generation, a_request

SIZE = 10


class Remote:
    """A backend's list, newest first."""

    def __init__(self, count: int) -> None:
        self.jobs: list[ListedJob] = []
        self.made = 0
        self.add(count)

    def add(self, count: int) -> None:
        for _ in range(count):
            job = ListedJob(job_id=f"j{self.made}", prompt="a kite", seed=7.0, created_at=float(self.made))
            self.jobs.insert(0, job)
            self.made += 1

    def page(self, skip: int) -> JobPage:
        jobs = self.jobs[skip : skip + SIZE]
        return JobPage(jobs=jobs, item_ids=tuple(job.job_id for job in jobs), more=len(jobs) == SIZE)


def known(jobs: JobList) -> set[str]:
    intent = a_generation(request=a_request(prompt="a kite", seed=7))
    return {job.job_id for job in jobs.jobs_like([intent])}


def test_a_list_that_stands_still_is_read_with_one_item_of_overlap() -> None:
    remote, jobs, pages = Remote(100), JobList(), 0
    while not jobs.complete:
        jobs.add(remote.page(jobs.skip))
        pages += 1
    assert len(known(jobs)) == 100
    assert pages == 12


@pytest.mark.parametrize("count", [0, 1, 3, 7, 40])
def test_pages_shorter_than_the_limit_are_read_to_the_end(count: int) -> None:
    """The backend allows 7 on a page, whatever is asked for."""
    remote, jobs, pages = Remote(count), JobList(), 0
    while not jobs.complete:
        page = remote.page(jobs.skip)
        jobs.add(JobPage(jobs=page.jobs[:7], item_ids=page.item_ids[:7], more=None))
        pages += 1
        assert pages < 10
    assert len(known(jobs)) == count


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_backend_that_knows_no_pages_is_asked_twice(count: int) -> None:
    remote, jobs, pages = Remote(count), JobList(), 0
    while not jobs.complete:
        jobs.add(replace(remote.page(0), more=None))
        pages += 1
    assert pages == (2 if count else 1)


def test_new_jobs_that_push_a_short_page_back_are_not_taken_for_the_end() -> None:
    remote, jobs = Remote(40), JobList()

    def read() -> bool:
        page = remote.page(jobs.skip)
        return jobs.add(JobPage(jobs=page.jobs[:7], item_ids=page.item_ids[:7], more=None))

    assert [read() for _ in range(3)] == [True] * 3
    remote.add(8)
    assert not read()
    assert not jobs.complete
    while not jobs.complete:
        read()
    assert len(known(jobs)) == 40


def test_a_page_after_a_gap_is_read_again_from_further_up() -> None:
    remote, jobs = Remote(40), JobList()
    jobs.add(remote.page(jobs.skip))
    jobs.add(remote.page(jobs.skip))
    del remote.jobs[:5]
    asked = []
    while not jobs.complete:
        asked.append(jobs.skip)
        jobs.add(remote.page(jobs.skip))
    assert asked == [18, 9, 18, 27]
    assert len(known(jobs)) == 40


def test_the_next_round_reads_from_the_front_to_where_the_last_one_was_and_continues_behind_it() -> None:
    remote, jobs, asked = Remote(100), JobList(), []
    for _ in range(5):
        jobs.add(remote.page(jobs.skip))
    assert jobs.oldest == 54.0
    remote.add(12)
    jobs.start_round()
    assert jobs.oldest == float("inf")
    while not jobs.complete:
        asked.append(jobs.skip)
        jobs.add(remote.page(jobs.skip))
    assert asked == [0, 9, 57, 66, 75, 84, 93, 102, 111]
    assert len(known(jobs)) == 112


def test_a_page_out_of_order_proves_no_more_than_its_newest_job() -> None:
    jobs = JobList()
    page = [ListedJob(job_id=f"j{at}", created_at=at) for at in (50.0, 1.0, 40.0)]
    jobs.add(JobPage(jobs=page, item_ids=("j50.0", "j1.0", "j40.0"), more=True))
    assert jobs.oldest == 50.0


@pytest.mark.parametrize("seed", range(200))
def test_whatever_is_made_and_deleted_meanwhile_nothing_is_missing(seed: int) -> None:
    rng = random.Random(seed)
    remote, jobs = Remote(rng.randint(0, 150)), JobList()
    for _ in range(400):
        if rng.random() < 0.05:
            jobs.start_round()
            oldest_at_start = {job.job_id for job in remote.jobs}
        elif not jobs.skip:
            oldest_at_start = {job.job_id for job in remote.jobs}
        jobs.add(remote.page(jobs.skip))
        there = {job.job_id for job in remote.jobs if (job.created_at or 0.0) > jobs.oldest}
        assert there & oldest_at_start <= known(jobs)
        if jobs.complete:
            break
        if rng.random() < 0.6:
            remote.add(rng.choice((0, 1, 3, 15)))
        for _ in range(rng.choice((0, 0, 0, 1, 4, 12))):
            if remote.jobs:
                del remote.jobs[rng.randrange(len(remote.jobs))]
