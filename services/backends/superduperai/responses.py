"""Maps answers to accepted, not accepted, refused, or unknown (R6)."""

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from services.backends.lenient_json import an_id, an_object, objects, own_message, read_json
from services.core.errors import BackendRefused, BackendUnavailable, InvalidResponse
from services.http.address import Address
from services.http.client import BoundedResponse
from services.http.retry_after import retry_after_s

MODERATED = re.compile(r"moderat|safety|nsfw|content policy|not allowed content", re.IGNORECASE)
LONGEST_ID = 300


class ResponseParser:
    def __init__(self, name: str, address: Address) -> None:
        self._name = name
        self._address = address

    def require_accepted(self, answer: BoundedResponse, *, secrets: Iterable[str] = ()) -> None:
        """Raises BackendUnavailable, BackendRefused, InvalidResponse."""
        status = answer.status
        if 200 <= status < 300:
            return
        if status in (429, 503):
            self._busy(answer)
        if 400 <= status < 500:
            own = self._address.redact(own_message(answer.body, without=secrets))
            raise self._refused(status, own)
        if status >= 500:
            sentence = f"{self._name} answered {status}: nobody knows whether it took the request."
            raise BackendUnavailable(sentence, backend=self._name)
        raise self._invalid(f"answered {status}, which is neither yes nor no")

    def job_id_in(self, answer: BoundedResponse) -> str:
        """The job's id: of the one file, or of the first in a list (images). Raises InvalidResponse."""
        try:
            said = read_json(answer.body)
        except ValueError as error:
            raise self._invalid("took the request, but its answer cannot be read", answer) from error
        first = next(iter(objects(said)), {}) if isinstance(said, list) else an_object(said)
        job_id = an_id(first.get("id"))
        if not job_id.strip(".") or len(job_id) > LONGEST_ID:
            raise self._invalid("took the request, but its answer has no id", answer)
        return job_id

    def reference_in(self, answer: BoundedResponse) -> str:
        try:
            return self.job_id_in(answer)
        except InvalidResponse as error:
            sentence = f"{self._name} took the source picture, but its answer has no id."
            raise BackendUnavailable(sentence, backend=self._name, not_taken=True) from error

    def require_cancelled(self, answer: BoundedResponse) -> None:
        if not (200 <= answer.status < 300 or answer.status in (404, 410)):
            sentence = f"{self._name} did not stop the job: it answered {answer.status}."
            wait_s = retry_after_s(answer.headers)
            raise BackendUnavailable(sentence, backend=self._name, retry_after_s=wait_s)

    def items_in(self, answer: BoundedResponse) -> list[dict[str, Any]]:
        """A plain list, or one under "items". Raises BackendError."""
        if answer.status in (401, 403):
            raise self._refused(answer.status, "")
        if answer.status != 200:
            sentence = f"{self._name} answered {answer.status} instead of its list."
            wait_s = retry_after_s(answer.headers)
            raise BackendUnavailable(sentence, backend=self._name, retry_after_s=wait_s)
        try:
            said = read_json(answer.body)
        except ValueError as error:
            raise self._invalid("answered with something that is no list", answer) from error
        items = said.get("items") if isinstance(said, dict) else said
        if not isinstance(items, list):
            raise self._invalid("answered with something that is no list", answer)
        return objects(items)

    def _busy(self, answer: BoundedResponse) -> NoReturn:
        raise BackendUnavailable(
            f"{self._name} is busy and did not take the request.",
            backend=self._name,
            retry_after_s=retry_after_s(answer.headers),
            not_taken=True,
        )

    def _refused(self, status: int, own: str) -> BackendRefused:
        name, said = self._name, f": {own}" if own else "."
        match status:
            case 401 | 403:
                code, sentence = "key", f"{name} does not take the key: check its token in the settings."
            case 402:
                code, sentence = "quota", f"{name} asks for payment, check the balance there{said}"
            case 404 | 405:
                code, sentence = "input", f"{name} has no such call: check its address in the settings."
            case 413:
                code, sentence = "input", f"{name} finds the source picture too large: take a smaller one."
            case _ if MODERATED.search(own):
                code, sentence = "moderation", f"{name} refused this content, change the prompt{said}"
            case _:
                code, sentence = "input", f"{name} refused the request{said}"
        return BackendRefused(sentence, backend=name, code=code)

    def _invalid(self, what: str, answer: BoundedResponse | None = None) -> InvalidResponse:
        """The sample shows the shape only: an answer may echo the prompt."""
        kind = "" if answer is None else answer.headers.get("Content-Type", "")[:60]
        size = 0 if answer is None else len(answer.body or b"")
        return InvalidResponse(
            f"{self._name} {what}.", backend=self._name, sample=f"{kind} {size} bytes" if kind or size else ""
        )
