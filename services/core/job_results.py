"""Names the results of one job: the first has the job's own id, each extra one an id derived from it."""

from typing import Self
from uuid import NAMESPACE_OID, UUID, uuid5

SEPARATOR = "\x1f"
"""No id of a backend has it: they are printable."""
SAME_JOB = "same_job"
"""The error code of a generation whose backend answered with another one's job; the text is that one's id."""
MAX_RESULTS = 64
"""Of one answer."""


class JobId(str):
    """A job's id; `others` are the ids of extra jobs that the same request started."""

    __slots__ = ("others",)
    others: tuple[str, ...]

    def __new__(cls, job_id: str, *others: str) -> Self:
        new = super().__new__(cls, job_id)
        new.others = others
        return new


def jobs_of(answer: str) -> tuple[str, ...]:
    """All jobs that a submit started, by its answer."""
    return (str(answer), *(answer.others if isinstance(answer, JobId) else ()))


def extra_result_id(job_id: str, number: int) -> str:
    """The id of a job's extra result; `number` is its place in the list, from 1."""
    return f"{job_id}{SEPARATOR}{number}"


def backend_job(job_id: str) -> str:
    """The id that the backend knows."""
    return job_id.partition(SEPARATOR)[0]


def is_extra_result(job_id: str) -> bool:
    """Whether it names an extra result of a job that another generation watches too."""
    return SEPARATOR in job_id


def generation_id_of(parent_id: str, number: int) -> str:
    """The same for the same result, however often it is found; sorts right behind its parent."""
    try:
        return str(UUID(int=UUID(parent_id).int + number))
    except ValueError:
        return str(uuid5(NAMESPACE_OID, f"{parent_id} {number}"))
