"""Button handlers for the actions on one generation."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nicegui import background_tasks, ui

from services.core.model import Generation, Kind, Phase
from ui.components.confirm import confirm
from ui.components.error_boundary import Handler, guarded
from ui.components.press import Press, PressHandler
from ui.components.toast import toast
from ui.session import drafts
from ui.session.drafts import FormValues
from ui.session.page_context import PageContext
from ui.text import _, ngettext

COMPOSER_PATHS = {Kind.VIDEO: "/", Kind.IMAGE: "/image"}


def open_composer(kind: Kind, values: FormValues) -> None:
    """Stores the values and opens the composer's page."""
    values.save(kind)
    ui.navigate.to(COMPOSER_PATHS[kind])


@dataclass(slots=True, kw_only=True)
class Actions:
    """`started` shows a generation that was started here; `edit` opens its settings in the composer."""

    context: PageContext
    started: Callable[[Generation], Awaitable[None]]
    edit: Callable[[Generation], object]
    compose: Callable[[Kind, FormValues], object] = open_composer
    """Opens the composer of a kind with these values."""
    asking: set[str] = field(default_factory=set)
    """The generations whose question is open."""

    def stop(self, generation: Generation) -> Handler:
        async def handler() -> None:
            await self.context.generations.stop(generation.id, owner=self.context.owner)

        return handler

    def check(self, generation: Generation) -> Handler:
        async def handler() -> None:
            await self.context.generations.check(generation.id, owner=self.context.owner)
            if generation.phase is Phase.UNCONFIRMED:
                toast(_check_message(has_list=self.context.generations.can_search(generation)))

        return handler

    def retry(self, generation: Generation) -> PressHandler:
        async def handler(press: Press) -> None:
            key = press.key("retry", generation.id)
            started = await self.context.generations.retry(generation.id, owner=self.context.owner, key=key)
            await self.started(started)

        return handler

    def submit_again(self, generation: Generation) -> Handler:
        async def handler() -> None:
            if generation.id in self.asking:  # pressed twice: one question
                return
            self.asking.add(generation.id)
            question = _("Submit it again?")
            detail = _("If the backend did take the first one, both will be made, and both may be charged.")
            try:
                if await confirm(question, detail, yes=_("Submit again"), no=_("Cancel")):
                    await self.context.generations.submit_again(generation.id, owner=self.context.owner)
            finally:
                self.asking.discard(generation.id)

        return handler

    def delete(self, generation: Generation) -> Handler:
        async def handler() -> None:
            question = _("Delete this one?")
            detail = _("It waits in the library's trash, and its link stops working.")
            if await confirm(question, detail, yes=_("Delete")):
                await self.context.generations.delete(generation.id, owner=self.context.owner)

        return handler

    def keep(self, generation: Generation) -> Handler:
        """Keeps a result that arrived after a stop."""

        async def handler() -> None:
            await self.context.generations.keep(generation.id, owner=self.context.owner)
            with self.context.client:  # the button's slot is deleted by now
                toast(_("Kept. It is one of your results now."), tone="good")

        return handler

    def drop(self, generation: Generation) -> Handler:
        """Puts a result that arrived after a stop into the trash, and offers to undo it."""

        async def undo() -> None:
            await self.context.generations.restore(generation.id, owner=self.context.owner)

        async def handler() -> None:
            await self.context.generations.delete(generation.id, owner=self.context.owner)
            with self.context.client:
                toast(
                    _("Dropped. It waits in the library's trash."),
                    on_open=lambda: background_tasks.create(
                        guarded(undo)(), name="undo", context=self.context.client
                    ),
                    action_label=_("Undo"),
                )

        return handler

    def clear(self, kind: Kind) -> Handler:
        async def handler() -> None:
            detail = _(
                "Everything finished goes into the library's trash. "
                "What is under way or waits for your choice stays."
            )
            if not await confirm(_("Clear all?"), detail, yes=_("Clear all")):
                return
            count = await self.context.generations.clear(owner=self.context.owner, kind=kind)
            toast(ngettext("{count} cleared.", "{count} cleared.", count).format(count=count))

        return handler

    def start_from(self, generation: Generation, kind: Kind) -> Handler:
        """Opens a composer with the image, or the video's last frame, as the source picture."""

        async def handler() -> None:
            source = await self.context.generations.source_from(generation.id, owner=self.context.owner)
            self.compose(kind, drafts.with_source(generation, kind, source))

        return handler

    def revise(self, generation: Generation) -> Handler:
        def handler() -> None:
            self.edit(generation)

        return handler


def _check_message(*, has_list: bool) -> str:
    if has_list:
        return _("Looking for it in the backend's list. What is surely yours goes on by itself.")
    return _("This backend has no list to look in. Look at its own page, then submit it again, or drop it.")
