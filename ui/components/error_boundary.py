"""Catches the errors of page handlers: logs them, shows a toast, and keeps the page alive."""

import inspect
import logging
from collections.abc import Awaitable, Callable

from services.core.errors import AppError
from ui.components.toast import toast
from ui.text import _
from ui.text.errors import error_text

log = logging.getLogger(__name__)

Handler = Callable[[], Awaitable[None] | None]


def guarded(handler: Handler) -> Callable[[], Awaitable[None]]:
    """Wraps `handler`. An AppError's message is shown as it is; other errors are logged."""

    async def run() -> None:
        try:
            result = handler()
            if inspect.isawaitable(result):
                await result
        except AppError as error:
            toast(error_text(error) or _("Something went wrong."), tone="trouble")
        except Exception:
            log.exception("A page handler failed; the page stays usable.")
            toast(
                _("Something went wrong in Rushes. Your results are safe; see the log for details."),
                tone="trouble",
            )

    return run
