"""Around every handler of the pages: what goes wrong is logged and told calmly, and the page lives on."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable

from services.core.errors import AppError
from ui.components.toast import toast
from ui.text import _
from ui.text.errors import told

log = logging.getLogger(__name__)

Act = Callable[[], Awaitable[None] | None]


def guarded(act: Act) -> Callable[[], Awaitable[None]]:
    """`act` as a handler. An AppError's message is already a sentence a person can act on."""

    async def handler() -> None:
        try:
            result = act()
            if inspect.isawaitable(result):
                await result
        except AppError as error:
            toast(told(error) or _("That did not work."), tone="trouble")
        except Exception:
            log.exception("A page's act failed; the page lives on.")
            toast(
                _("That did not work, and it is our fault. Nothing is lost; the log has the details."),
                tone="trouble",
            )

    return handler
