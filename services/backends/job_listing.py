"""Listed jobs, and whether one matches a request."""

from dataclasses import dataclass

from services.core.model import Request

DURATION_TOLERANCE, SIZE_TOLERANCE = 0.01, 0.1
"""Shares: backends round durations to whole frames, and sizes to those that their model can draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """One job as its backend lists it; None for what the list leaves out."""

    job_id: str
    prompt: str | None = None
    seed: float | None = None
    model: str | None = None
    negative_prompt: str | None = None
    aspect_ratio: str | None = None
    duration_s: float | None = None
    width: float | None = None
    height: float | None = None
    created_at: float | None = None
    """By the backend's own clock."""
    request_id: str | None = None
    """The backend's own name of the request: the files of one answer share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """One page, newest first."""

    jobs: list[ListedJob]
    item_ids: tuple[str, ...]
    """Of everything on the page, uploads included; empty text where an item has none."""
    more: bool | None
    """Older ones are behind it; None: not known, the backend may allow no longer pages."""
    backend_time: float | None = None
    """When the backend answered, by its own clock."""


def same_answer(first: ListedJob, other: ListedJob) -> bool:
    """Whether they are one, or files of one answer."""
    return first.job_id == other.job_id or (
        first.request_id is not None and first.request_id == other.request_id
    )


def matches(request: Request, job: ListedJob) -> bool:
    """Whether the job has exactly this prompt and seed, and no setting that differs from the request."""
    width, height = request.size
    return (
        job.prompt == request.prompt
        and job.seed == request.seed
        and job.model in (None, request.model)
        and job.negative_prompt in (None, request.settings.negative_prompt)
        and job.aspect_ratio in (None, request.settings.aspect_ratio)
        and _near(job.duration_s, request.settings.duration_s, DURATION_TOLERANCE)
        and _near(job.width, width, SIZE_TOLERANCE)
        and _near(job.height, height, SIZE_TOLERANCE)
    )


def _near(listed: float | None, requested: float | None, tolerance: float) -> bool:
    return listed is None or requested is None or abs(listed - requested) <= tolerance * requested
