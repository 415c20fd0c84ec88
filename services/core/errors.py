"""The exception tree.

AppError
├─ InvalidRequest            the person can correct it; names the field
├─ NoModels                  no model list is known yet
├─ BackendError(backend)
│   ├─ BackendUnavailable    later may work: 429, 5xx, network; retry_after_s
│   ├─ BackendRefused        will not work: key, quota, moderation, bad input
│   └─ InvalidResponse       the answer is not as documented; carries a trimmed sample
├─ ChannelLost               one channel is gone; the others go on
├─ DeliveryFailed            a result could not be downloaded or stored; may be tried again
├─ NotFound                  no such row
├─ StoreFailed               the database cannot be read or written (disk full, read-only, locked)
├─ Conflict                  the row, or the data folder, belongs to another process or person
└─ CannotStart               the app refuses to start; the sentence says why

Messages are sentences a person can act on; they contain no key, header, link or prompt.
"""


class Words(str):
    """Words of ours that a page shows in its own language: marked here for the catalogues.

    The sentences of InvalidRequest, NoModels, NotFound, StoreFailed and Conflict are found without a mark,
    and those of Sentence.
    """

    __slots__ = ()


class Sentence:
    """Words of ours with the values that they name in braces; `str` is the English of both."""

    __slots__ = ("sentence", "values")

    def __init__(self, sentence: str = "", **values: object) -> None:
        self.sentence = sentence
        self.values = values

    def __str__(self) -> str:
        return self.sentence.format(**self.values) if self.values else self.sentence

    def __bool__(self) -> bool:
        return bool(self.sentence)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sentence):
            return NotImplemented
        return (self.sentence, self.values) == (other.sentence, other.values)

    def __hash__(self) -> int:
        return hash(str(self))


class AppError(Exception):
    """Root of all errors of ours. `sentence` names its `values` in braces; `str` is the English of both."""

    def __init__(self, sentence: str = "", **values: object) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.sentence = sentence
        self.values = values


class InvalidRequest(AppError):
    def __init__(self, sentence: str, *, field: str | None = None, **values: object) -> None:
        super().__init__(sentence, **values)
        self.field = field


class NoModels(AppError):
    pass


class BackendError(AppError):
    def __init__(self, sentence: str, *, backend: str) -> None:
        super().__init__(sentence)
        self.backend = backend


class BackendUnavailable(BackendError):
    """`not_taken` is true only where the request surely never reached the backend's work (R6)."""

    def __init__(
        self, sentence: str, *, backend: str, retry_after_s: float | None = None, not_taken: bool = False
    ) -> None:
        super().__init__(sentence, backend=backend)
        self.retry_after_s = retry_after_s
        self.not_taken = not_taken


class BackendRefused(BackendError):
    """`code` is a short word for what was refused: key, quota, moderation, input."""

    def __init__(self, sentence: str, *, backend: str, code: str = "input") -> None:
        super().__init__(sentence, backend=backend)
        self.code = code


class InvalidResponse(BackendError):
    def __init__(self, sentence: str, *, backend: str, sample: str = "") -> None:
        super().__init__(sentence, backend=backend)
        self.sample = sample[:200]


class ChannelLost(AppError):
    """`reason` is a short code for trace and metrics: refused, unauthorized, silent, ended, reset,
    timeout, malformed, oversize, busy, server_error, gone, no_content, worn_out (its planned life is over).
    """

    def __init__(self, sentence: str, *, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.retry_after_s = retry_after_s


class DeliveryFailed(AppError):
    """`reason` is a short code: refused, truncated, undecodable, too_large, wrong_kind, address, network,
    disk_full, timeout, empty.
    """

    def __init__(self, sentence: str, *, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class NotFound(AppError):
    pass


class Conflict(AppError):
    pass


class StoreFailed(AppError):
    pass


class CannotStart(AppError):
    pass
