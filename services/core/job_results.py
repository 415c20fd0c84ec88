"""Names the results of one job: the first has the job's own id, each further one an id derived from it."""

from typing import Self
from uuid import NAMESPACE_OID, UUID, uuid5

SEPARATOR = "\x1f"
"""No id of a backend has it: they are printable."""
SAME_JOB = "same_job"
"""The error code of a generation whose backend answered with another one's job; the text is that one's id."""
MAX_RESULTS = 64
"""Of one answer."""


class JobId(str):
    """A job's id; `others` are the ids of further jobs that the same request began."""

    __slots__ = ("others",)
    others: tuple[str, ...]

    def __new__(cls, job_id: str, *others: str) -> Self:
        new = super().__new__(cls, job_id)
        new.others = others
        return new


def jobs_of(answer: str) -> tuple[str, ...]:
    """All jobs that a submit began, by its answer."""
    return (str(answer), *(answer.others if isinstance(answer, JobId) else ()))


def further_id(job_id: str, number: int) -> str:
    """The id of a job's further result; `number` is its place in the list, from 1."""
    return f"{job_id}{SEPARATOR}{number}"


def backend_job(job_id: str) -> str:
    """The id that the backend knows."""
    return job_id.partition(SEPARATOR)[0]


def is_further(job_id: str) -> bool:
    """Whether it is a further result of a job that another generation watches too."""
    return SEPARATOR in job_id


def generation_id_of(parent_id: str, number: int) -> str:
    """The same for the same result, however often it is found; sorts right behind its parent."""
    try:
        return str(UUID(int=UUID(parent_id).int + number))
    except ValueError:
        return str(uuid5(NAMESPACE_OID, f"{parent_id} {number}"))
