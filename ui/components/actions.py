"""Button handlers for the actions on one generation."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from nicegui import background_tasks, ui

from services.core.errors import NotFound
from services.core.model import Generation, Kind, Phase
from ui.components.confirm import confirm
from ui.components.error_boundary import Handler, guarded
from ui.components.press import Press, PressHandler
from ui.components.toast import toast
from ui.session import drafts
from ui.session.drafts import FormValues
from ui.session.page_context import PageContext
from ui.text import _, labels, measure, ngettext

COMPOSER_PATHS = {Kind.VIDEO: "/", Kind.IMAGE: "/image"}


def open_composer(kind: Kind, values: FormValues) -> None:
    """Stores the values and opens the composer's page, which then shows them and focuses the prompt."""
    values.save(kind)
    ui.run_javascript("sessionStorage.setItem('composing', '1')")
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

    def retry(self, generation: Generation, *, new_seed: bool = False) -> PressHandler:
        async def handler(press: Press) -> None:
            key = press.key("retry", generation.id)
            started = await self.context.generations.retry(
                generation.id, owner=self.context.owner, key=key, new_seed=new_seed
            )
            await self.started(started)

        return handler

    def submit_again(self, generation: Generation) -> Handler:
        async def handler() -> None:
            if generation.id in self.asking:  # pressed twice: one question
                return
            self.asking.add(generation.id)
            question = _("Submit again?")
            detail = _(
                "If the backend accepted the first request, both will run and you may be charged twice."
            )
            try:
                if await confirm(question, detail, yes=_("Submit again"), no=_("Cancel")):
                    await self.context.generations.submit_again(generation.id, owner=self.context.owner)
            finally:
                self.asking.discard(generation.id)

        return handler

    def delete(self, generation: Generation) -> Handler:
        async def handler() -> None:
            with suppress(NotFound):  # pressed twice, or deleted elsewhere
                await self.context.generations.delete(generation.id, owner=self.context.owner)
                self._offer_undo([generation.id], moved_text(1))

        return handler

    def _offer_undo(self, ids: list[str], text: str) -> None:
        async def undo() -> None:
            await self.context.generations.restore_all(ids, owner=self.context.owner)

        with self.context.client:  # the button's slot is deleted by now
            toast(
                text,
                on_open=lambda: background_tasks.create(
                    guarded(undo)(), name="undo", context=self.context.client
                ),
                action_label=_("Undo"),
            )

    def keep(self, generation: Generation) -> Handler:
        """Keeps a result that arrived after a stop."""

        async def handler() -> None:
            await self.context.generations.keep(generation.id, owner=self.context.owner)
            with self.context.client:  # the button's slot is deleted by now
                toast(_("Kept in your library."), tone="good")

        return handler

    def drop(self, generation: Generation) -> Handler:
        """Puts a result that arrived after a stop into the trash."""

        async def handler() -> None:
            with suppress(NotFound):
                await self.context.generations.delete(generation.id, owner=self.context.owner)
                self._offer_undo([generation.id], _("Moved to trash."))

        return handler

    def clear(self, kind: Kind) -> Handler:
        async def handler() -> None:
            generations, owner = self.context.generations, self.context.owner
            count = await generations.clearable(owner=owner, kind=kind)
            if not count:
                toast(_("Nothing to clear. Starred items stay."))
                return
            detail = _("Starred items, and those in progress or awaiting your decision, stay.")
            if await confirm(clear_question(count, kind), detail, yes=_("Clear all"), no=_("Cancel")):
                cleared = await generations.clear(owner=owner, kind=kind)
                self._offer_undo(cleared, cleared_text(len(cleared), kind))

        return handler

    def start_from(self, generation: Generation, kind: Kind) -> Handler:
        """Opens a composer with the image, or the video's last frame, as the source picture."""

        async def handler() -> None:
            source = await self.context.generations.source_from(generation.id, owner=self.context.owner)
            await self.context.load_place(generation)
            name = labels.source_name(generation, self.context.places.get(generation.id))
            self.compose(kind, drafts.with_source(generation, kind, source, name))

        return handler

    def revise(self, generation: Generation) -> Handler:
        def handler() -> None:
            self.edit(generation)

        return handler


def _check_message(*, has_list: bool) -> str:
    if has_list:
        return _("Searching at the backend. If your request is found, it resumes automatically.")
    return _("This backend cannot be searched. Check its own website, then submit again or discard.")


def moved_text(count: int) -> str:
    template = ngettext("Moved {count} item to trash.", "Moved {count} items to trash.", count)
    return template.format(count=measure.number(count))


def clear_question(count: int, kind: Kind) -> str:
    if kind is Kind.VIDEO:
        template = ngettext("Move {count} video to trash?", "Move {count} videos to trash?", count)
    else:
        template = ngettext("Move {count} image to trash?", "Move {count} images to trash?", count)
    return template.format(count=measure.number(count))


def cleared_text(count: int, kind: Kind) -> str:
    if kind is Kind.VIDEO:
        template = ngettext("Moved {count} video to trash.", "Moved {count} videos to trash.", count)
    else:
        template = ngettext("Moved {count} image to trash.", "Moved {count} images to trash.", count)
    return template.format(count=measure.number(count))
