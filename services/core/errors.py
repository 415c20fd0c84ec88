"""Errors. Their messages are sentences a person can act on, without a key, header, link or prompt."""

from dataclasses import dataclass

from services.core.model import Problem


class Words(str):
    """Marks a text for the catalogues of translations.

    They find Sentence, InvalidRequest, NoModels, NotFound, StoreFailed and Conflict without a mark.
    """

    __slots__ = ()


@dataclass(init=False, slots=True)
class Sentence:
    """A text with the values that it names in braces; `str` is the English of both."""

    sentence: str
    values: dict[str, object]

    def __init__(self, sentence: str = "", **values: object) -> None:
        self.sentence = sentence
        self.values = values

    def __str__(self) -> str:
        return self.sentence.format(**self.values) if self.values else self.sentence

    def __bool__(self) -> bool:
        return bool(self.sentence)

    def __hash__(self) -> int:
        return hash(str(self))


class AppError(Exception):
    """Root of the app's errors. `sentence` names its `values` in braces; `str` is the English of both."""

    def __init__(self, sentence: str = "", **values: object) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.sentence = sentence
        self.values = values


class InvalidRequest(AppError):
    """The person can correct it; names the field."""

    def __init__(self, sentence: str, *, field: str | None = None, **values: object) -> None:
        super().__init__(sentence, **values)
        self.field = field


class NoModels(AppError):
    """No model list is known yet."""


class BackendError(AppError):
    def __init__(self, sentence: str, *, backend: str) -> None:
        super().__init__(sentence)
        self.backend = backend


class BackendUnavailable(BackendError):
    """May succeed later: 429, 5xx, network. `not_taken`: the backend surely started no work (R6)."""

    def __init__(
        self, sentence: str, *, backend: str, retry_after_s: float | None = None, not_taken: bool = False
    ) -> None:
        super().__init__(sentence, backend=backend)
        self.retry_after_s = retry_after_s
        self.not_taken = not_taken


class BackendRefused(BackendError):
    """A repetition is refused as well. `code`: key, quota, moderation or input."""

    def __init__(self, sentence: str, *, backend: str, code: str = "input") -> None:
        super().__init__(sentence, backend=backend)
        self.code = code


class InvalidResponse(BackendError):
    """The answer is not as documented; carries its beginning."""

    def __init__(self, sentence: str, *, backend: str, sample: str = "") -> None:
        super().__init__(sentence, backend=backend)
        self.sample = sample[:200]


class ChannelLost(AppError):
    """One channel is gone; the others go on. `reason`, for trace and metrics: refused, unauthorized, silent,
    ended, reset, timeout, malformed, oversize, busy, server_error, gone, no_content or worn_out (of old age).
    """

    def __init__(self, sentence: str, *, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.retry_after_s = retry_after_s


class DeliveryFailed(AppError):
    """A result could not be downloaded or stored; a repetition may succeed. `reason`: refused, truncated,
    undecodable, too_large, wrong_kind, text_document, address, network, not_ready, disk_full, timeout or
    empty.

    `stage` is the generation's stage while it is tried again.
    """

    def __init__(self, sentence: str, *, reason: str, stage: str = "", **values: object) -> None:
        super().__init__(sentence, **values)
        self.reason = reason
        self.stage = stage or f"delivery_{reason}"


class Unverified(DeliveryFailed):
    """The bytes came whole, but could not be verified. They are held while they are fetched once more."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason, reason=problem.code, stage=f"delivery_held:{problem.code}")
        self.problem = problem


class NotFound(AppError):
    """No such row."""


class Conflict(AppError):
    """The row, or the data folder, belongs to another process or person."""


class StoreFailed(AppError):
    """The database cannot be read or written (disk full, read-only, locked)."""


class CannotStart(AppError):
    """The app refuses to start; the sentence says why."""
