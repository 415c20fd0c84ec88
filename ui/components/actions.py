"""What a person can do with one generation, as handlers for buttons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nicegui import background_tasks, ui

from services.core.model import Generation, Kind, Phase
from ui.components.confirm import confirm
from ui.components.error_boundary import Act, guarded
from ui.components.toast import toast
from ui.session import drafts
from ui.session.drafts import FormValues
from ui.session.page_context import PageContext
from ui.text import _, ngettext

HOME = {Kind.VIDEO: "/", Kind.IMAGE: "/image"}
"""The composers' addresses."""


def to_composer(kind: Kind, typed: FormValues) -> None:
    """Over to the composer's own page."""
    typed.save(kind)
    ui.navigate.to(HOME[kind])


@dataclass(slots=True, kw_only=True)
class Actions:
    """`started` puts a new generation of this tab on the stage; `edit` takes settings to the composer."""

    context: PageContext
    started: Callable[[Generation], Awaitable[None]]
    edit: Callable[[Generation], object]
    compose: Callable[[Kind, FormValues], object] = to_composer
    """Opens the composer of a kind with these values in it."""

    def stop(self, generation: Generation) -> Act:
        async def act() -> None:
            await self.context.generations.stop(generation.id, owner=self.context.owner)

        return act

    def check(self, generation: Generation) -> Act:
        async def act() -> None:
            await self.context.generations.check(generation.id, owner=self.context.owner)
            if generation.phase is Phase.UNCONFIRMED:
                toast(_looked_for(listed=self.context.generations.can_search(generation)))

        return act

    def retry(self, generation: Generation) -> Act:
        async def act() -> None:
            await self.started(await self.context.generations.retry(generation.id, owner=self.context.owner))

        return act

    def submit_again(self, generation: Generation) -> Act:
        async def act() -> None:
            question = _("Submit it again?")
            detail = _("If the backend did take the first one, both will be made, and both may be charged.")
            if await confirm(question, detail, yes=_("Submit again"), no=_("Cancel")):
                await self.context.generations.submit_again(generation.id, owner=self.context.owner)

        return act

    def delete(self, generation: Generation) -> Act:
        async def act() -> None:
            question = _("Delete this one?")
            detail = _("It waits in the library's trash, and its link stops working.")
            if await confirm(question, detail, yes=_("Delete")):
                await self.context.generations.delete(generation.id, owner=self.context.owner)

        return act

    def keep(self, generation: Generation) -> Act:
        """What arrived after a stop is wanted after all."""

        async def act() -> None:
            await self.context.generations.keep(generation.id, owner=self.context.owner)
            with self.context.client:  # the buttons are gone by now
                toast(_("Kept. It is one of your results now."), tone="good")

        return act

    def drop(self, generation: Generation) -> Act:
        """What arrived after a stop goes into the trash, and comes back with one press."""

        async def undo() -> None:
            await self.context.generations.restore(generation.id, owner=self.context.owner)

        async def act() -> None:
            await self.context.generations.delete(generation.id, owner=self.context.owner)
            with self.context.client:
                toast(
                    _("Dropped. It waits in the library's trash."),
                    open_it=lambda: background_tasks.create(
                        guarded(undo)(), name="undo", context=self.context.client
                    ),
                    act=_("Undo"),
                )

        return act

    def clear(self, kind: Kind) -> Act:
        async def act() -> None:
            detail = _(
                "Everything finished goes into the library's trash. "
                "What is under way or waits for your choice stays."
            )
            if not await confirm(_("Clear all?"), detail, yes=_("Clear all")):
                return
            count = await self.context.generations.clear(owner=self.context.owner, kind=kind)
            toast(ngettext("{count} cleared.", "{count} cleared.", count).format(count=count))

        return act

    def start_from(self, generation: Generation, kind: Kind) -> Act:
        """Its picture, or its last frame, into the composer of a kind."""

        async def act() -> None:
            source = await self.context.generations.source_from(generation.id, owner=self.context.owner)
            self.compose(kind, drafts.starting_from(generation, kind, source))

        return act

    def revise(self, generation: Generation) -> Act:
        def act() -> None:
            self.edit(generation)

        return act


def _looked_for(*, listed: bool) -> str:
    if listed:
        return _("Looking for it in the backend's list. What is surely yours goes on by itself.")
    return _("This backend has no list to look in. Look at its own page, then submit it again, or drop it.")
