"""Maps answers to accepted, not accepted, refused, or unknown (R6)."""

import re
from collections.abc import Iterable
from typing import Any

from services.backends.lenient_json import a_text, an_id, an_object, error_message, objects, read_json
from services.core.errors import BackendRefused, BackendUnavailable, InvalidResponse
from services.core.job_results import MAX_RESULTS, SEPARATOR, JobId
from services.core.model import Kind
from services.http.address import Address
from services.http.client import BoundedResponse
from services.http.retry_after import retry_after_s

MODERATED = re.compile(r"moderat|safety|nsfw|content policy|not allowed content", re.IGNORECASE)
MAX_ID_CHARS = 300
LISTS = ("items", "files", "data", "results")
"""Names under which an answer may hold its files."""


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
            raise self._unavailable("is busy and did not take the request", answer, not_taken=True)
        if 400 <= status < 500:
            message = error_message(answer.body, without=[*secrets, self._address.token])
            raise self._refused(status, message)
        if status >= 500:
            sentence = f"{self._name} answered {status}: nobody knows whether it took the request."
            wait_s = retry_after_s(answer.headers)
            raise BackendUnavailable(sentence, backend=self._name, retry_after_s=wait_s)
        raise self._invalid(f"answered {status}, which is neither yes nor no")

    def job_id_in(self, answer: BoundedResponse, kind: Kind | None = None) -> JobId:
        """The id of the one file, or those of all files in a list. Raises InvalidResponse.

        Files of another kind, a cover or a caption, are left out where one of `kind` is there.
        """
        try:
            body = read_json(answer.body)
        except ValueError as error:
            raise self._invalid("took the request, but its answer cannot be read", answer) from error
        files = {job_id: file for file in _files(body) if (job_id := _job_id(file))}
        wanted = [job_id for job_id, file in files.items() if a_text(file.get("type")) in ("", kind)]
        job_ids = (wanted or list(files)[:1])[:MAX_RESULTS]
        if not job_ids:
            raise self._invalid("took the request, but its answer has no id", answer)
        return JobId(*job_ids)

    def reference_in(self, answer: BoundedResponse) -> str:
        try:
            return self.job_id_in(answer)
        except InvalidResponse as error:
            sentence = f"{self._name} took the source picture, but its answer has no id."
            raise BackendUnavailable(sentence, backend=self._name, not_taken=True) from error

    def require_cancelled(self, answer: BoundedResponse) -> None:
        if not (200 <= answer.status < 300 or answer.status in (404, 410)):
            raise self._unavailable(f"did not stop the job: it answered {answer.status}", answer)

    def items_in(self, answer: BoundedResponse) -> list[dict[str, Any]]:
        """A plain list, or one under "items". Raises BackendError."""
        if answer.status in (401, 403):
            raise self._refused(answer.status, "")
        if answer.status != 200:
            raise self._unavailable(f"answered {answer.status} instead of its list", answer)
        try:
            body = read_json(answer.body)
        except ValueError as error:
            raise self._invalid("answered with something that is no list", answer) from error
        items = body.get("items") if isinstance(body, dict) else body
        if not isinstance(items, list):
            raise self._invalid("answered with something that is no list", answer)
        return objects(items)

    def _unavailable(
        self, what: str, answer: BoundedResponse, *, not_taken: bool = False
    ) -> BackendUnavailable:
        wait_s = retry_after_s(answer.headers)
        return BackendUnavailable(
            f"{self._name} {what}.", backend=self._name, retry_after_s=wait_s, not_taken=not_taken
        )

    def _refused(self, status: int, message: str) -> BackendRefused:
        name, reason = self._name, f": {message}" if message else "."
        match status:
            case 401 | 403:
                code, sentence = "key", f"{name} does not take the key: check its token in the settings."
            case 402:
                code, sentence = "quota", f"{name} asks for payment, check the balance there{reason}"
            case 404 | 405:
                code, sentence = "input", f"{name} has no such call: check its address in the settings."
            case 413:
                code, sentence = "input", f"{name} finds the source picture too large: take a smaller one."
            case _ if MODERATED.search(message):
                code, sentence = "moderation", f"{name} refused this content, change the prompt{reason}"
            case _:
                code, sentence = "input", f"{name} refused the request{reason}"
        return BackendRefused(sentence, backend=name, code=code)

    def _invalid(self, what: str, answer: BoundedResponse | None = None) -> InvalidResponse:
        """The sample shows the shape only: an answer may echo the prompt."""
        kind = "" if answer is None else self._address.redact(answer.headers.get("Content-Type", ""))[:60]
        size = 0 if answer is None else len(answer.body or b"")
        return InvalidResponse(
            f"{self._name} {what}.", backend=self._name, sample=f"{kind} {size} bytes" if kind or size else ""
        )


def _files(body: object) -> list[dict[str, Any]]:
    """A list, one file, or an object around a list."""
    file = an_object(body)
    if not file or _job_id(file):
        return [file] if file else objects(body)
    return next((found for name in LISTS if (found := objects(file.get(name)))), [])


def _job_id(file: dict[str, Any]) -> str:
    """Empty where it has none that can be asked for."""
    job_id = an_id(file.get("id"))
    usable = bool(job_id.strip(".")) and len(job_id) <= MAX_ID_CHARS and SEPARATOR not in job_id
    return job_id if usable else ""
