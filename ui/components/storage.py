"""The settings of the library: how much lies here, whether it is all there, and what goes by itself."""

from __future__ import annotations

from nicegui import ui

from services.core.errors import InvalidRequest
from services.core.model import LOCAL_OWNER, Kind
from services.library import Library
from services.library.retention import MOST_DAYS, MOST_GB, Rule
from services.library.storage import Findings
from services.store.library import Total
from ui.components.button import Button
from ui.components.confirm import confirm
from ui.components.field import line
from ui.components.radio_options import options
from ui.components.section import section
from ui.components.toast import toast
from ui.text import _, deferred, measure, ngettext
from ui.text.errors import told

MOST_NAMED = 20
KEEPS = {
    "all": deferred("Everything"),
    "days": deferred("So many days"),
    "size": deferred("So many gigabytes"),
}
MEANINGS = {
    "all": deferred("Nothing goes by itself."),
    "days": deferred("What is older goes into the trash, and is removed for good seven days later."),
    "size": deferred("Above this size the oldest is removed for good, what is in the trash first."),
}
KINDS = {Kind.VIDEO: deferred("Videos"), Kind.IMAGE: deferred("Images")}


async def storage(library: Library) -> None:
    """How much is kept, and the check of rows against files."""
    totals = await library.totals(owner=LOCAL_OWNER)
    with section(_("Storage")):
        with ui.element("dl").classes("r-facts"):
            for kind, name in KINDS.items():
                _fact(_(name), [each for each in totals if each.kind is kind and not each.trashed])
            _fact(_("In the trash"), [each for each in totals if each.trashed])
        with ui.element("div").classes("r-stack").props("aria-live=polite") as answer:
            pass

        async def check() -> None:
            answer.clear()
            with answer:
                ui.label(_("Checking each file against the list of what is kept.")).classes("r-quiet")
            _found(library, answer, await library.check_storage())

        with ui.element("div").classes("r-row"):
            Button(_("Check the files"), check, icon_name="check")


def _fact(name: str, totals: list[Total]) -> None:
    items = sum(total.items for total in totals)
    size = measure.size(sum(total.size_bytes for total in totals))
    words = ngettext("{size} in {count} file", "{size} in {count} files", items)
    with ui.element("dt"):
        ui.label(name)
    with ui.element("dd"):
        ui.label(words.format(size=size, count=measure.number(items)))


def _found(library: Library, answer: ui.element, findings: Findings) -> None:
    answer.clear()
    with answer:
        whole = _("The whole folder takes {size}.").format(size=measure.size(findings.folder_bytes))
        ui.label(f"{whole} {_('Free on the disk')}: {measure.size(findings.free_bytes)}.").classes("r-quiet")
        if not findings.missing and not findings.orphans:
            ui.label(_("Every file is where it should be."))
        if findings.missing:
            _missing(findings.missing)
        if findings.orphans:
            _orphans(library, answer, findings)


def _missing(ids: list[str]) -> None:
    words = ngettext("{count} kept file is missing:", "{count} kept files are missing:", len(ids))
    ui.label(words.format(count=measure.number(len(ids)))).classes("r-strong")
    for generation_id in ids[:MOST_NAMED]:
        with ui.element("a").classes("r-words") as link:
            link.props["href"] = f"/g/{generation_id}"
            ui.label(generation_id)


def _orphans(library: Library, answer: ui.element, findings: Findings) -> None:
    count, size = len(findings.orphans), measure.size(findings.orphan_bytes)
    words = ngettext(
        "{count} file belongs to nothing ({size}).", "{count} files belong to nothing ({size}).", count
    )
    ui.label(words.format(count=measure.number(count), size=size)).classes("r-strong")

    async def remove() -> None:
        removed = len((await library.remove_orphans()).orphans)
        said = ngettext("{count} file removed.", "{count} files removed.", removed)
        toast(said.format(count=measure.number(removed)), tone="good")
        _found(library, answer, await library.check_storage())

    with ui.element("div").classes("r-row"):
        Button(_("Remove them"), remove, icon_name="trash", look="trouble")


async def retention(library: Library) -> None:
    """The rule of what goes by itself."""
    rule = await library.rule(owner=LOCAL_OWNER)
    form = _RuleForm(library, rule)
    with section(_("What stays"), _("What carries a star always stays.")):
        form.draw()


class _RuleForm:
    def __init__(self, library: Library, rule: Rule) -> None:
        self.library = library
        self.keep = rule.keep
        self.days, self.gb = str(rule.days), f"{rule.gb:g}"

    def draw(self) -> None:
        named = {keep: _(words) for keep, words in KEEPS.items()}
        options(_("What stays"), named, self.keep, on_choose=self.choose)
        self.days_field = line(_("Days"), self.days, lambda text: setattr(self, "days", text), key="days")
        self.gb_field = line(_("Gigabytes"), self.gb, lambda text: setattr(self, "gb", text), key="gb")
        self.meaning = ui.label().classes("r-quiet")
        with ui.element("div").classes("r-row"):
            Button(_("Save the rule"), self.save)
        self.choose(self.keep)

    def choose(self, keep: str) -> None:
        if keep not in KEEPS:
            return
        self.keep = keep  # type: ignore[assignment]
        self.days_field.box.visible = keep == "days"
        self.gb_field.box.visible = keep == "size"
        self.meaning.text = _(MEANINGS[keep])

    async def save(self) -> None:
        rule = self.read()
        if rule is None:
            return
        detail = f"{_(MEANINGS[rule.keep])} {_('It is applied at once, and every hour from now on.')}"
        if rule.keep != "all" and not await confirm(_("Save this rule?"), detail, yes=_("Save the rule")):
            return
        try:
            count = await self.library.set_rule(rule, owner=LOCAL_OWNER)
        except InvalidRequest as error:
            (self.gb_field if error.field == "gb" else self.days_field).say(told(error))
            return
        words = ngettext(
            "The rule is saved; {count} went by it.", "The rule is saved; {count} went by it.", count
        )
        toast(words.format(count=measure.number(count)) if count else _("The rule is saved."), tone="good")

    def read(self) -> Rule | None:
        """What is typed, or None when a field says what is wrong with it."""
        self.days_field.say("")
        self.gb_field.say("")
        rule = Rule(keep=self.keep)
        if self.keep == "days":
            if not self.days.strip().isdecimal() or len(self.days.strip()) > 6:
                sentence = _("Give a number of days from 1 to {most}.")
                self.days_field.say(sentence.format(most=measure.number(MOST_DAYS)))
                return None
            rule = Rule(keep="days", days=int(self.days))
        if self.keep == "size":
            try:
                rule = Rule(keep="size", gb=float(self.gb.replace(",", ".")))
            except ValueError:
                sentence = _("Give a size from 0.1 to {most} GB.")
                self.gb_field.say(sentence.format(most=measure.number(MOST_GB)))
                return None
        return rule
