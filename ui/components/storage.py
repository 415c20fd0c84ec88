"""The library's settings: storage use, integrity check and the retention rule."""

from nicegui import ui

from services.core.errors import InvalidRequest
from services.core.model import Kind
from services.library import Library
from services.library.retention import MAX_DAYS, MAX_GB, Rule
from services.library.storage import StorageReport
from services.store.library import StorageTotal
from ui.components.button import Button
from ui.components.confirm import confirm
from ui.components.field import line
from ui.components.radio_options import options
from ui.components.section import section
from ui.components.toast import toast
from ui.session.person import current_person
from ui.text import _, deferred, measure, ngettext
from ui.text.errors import error_text

MAX_LISTED = 20
RULE_LABELS = {
    "all": deferred("Keep everything"),
    "days": deferred("By age"),
    "size": deferred("By size"),
}
MEANINGS = {
    "all": deferred("Nothing is deleted automatically."),
    "days": deferred("Older items move to trash and are permanently deleted after seven days."),
    "size": deferred("Above this size, the oldest items are permanently deleted, starting with the trash."),
}
KINDS = {Kind.VIDEO: deferred("Videos"), Kind.IMAGE: deferred("Images")}


async def storage(library: Library) -> None:
    """Draws the storage use and the check of rows against files."""
    totals = await library.totals(owner=current_person())
    with section(_("Storage")):
        with ui.element("dl").classes("r-facts"):
            for kind, name in KINDS.items():
                _fact(_(name), [each for each in totals if each.kind is kind and not each.trashed])
            _fact(_("In the trash"), [each for each in totals if each.trashed])
        with ui.element("div").classes("r-stack").props("aria-live=polite") as result:
            pass

        async def check() -> None:
            result.clear()
            with result:
                ui.label(_("Checking files against the database.")).classes("r-quiet")
            _show_findings(library, result, await library.storage.check())

        with ui.element("div").classes("r-row"):
            Button(_("Check files"), check, icon_name="check")


def _fact(name: str, totals: list[StorageTotal]) -> None:
    items = sum(total.items for total in totals)
    size = measure.size(sum(total.size_bytes for total in totals))
    template = ngettext("{size} in {count} file", "{size} in {count} files", items)
    with ui.element("dt"):
        ui.label(name)
    with ui.element("dd"):
        ui.label(template.format(size=size, count=measure.number(items)))


def _show_findings(library: Library, result: ui.element, findings: StorageReport) -> None:
    result.clear()
    with result:
        whole = _("The data folder uses {size}.").format(size=measure.size(findings.folder_bytes))
        ui.label(f"{whole} {_('Free disk space')}: {measure.size(findings.free_bytes)}.").classes("r-quiet")
        if not findings.missing and not findings.orphans:
            ui.label(_("No missing or unknown files."))
        if findings.missing:
            _show_missing(findings.missing)
        if findings.orphans:
            _show_orphans(library, result, findings)


def _show_missing(ids: list[str]) -> None:
    template = ngettext("{count} file is missing:", "{count} files are missing:", len(ids))
    ui.label(template.format(count=measure.number(len(ids)))).classes("r-strong")
    for generation_id in ids[:MAX_LISTED]:
        with ui.element("a").classes("r-words") as link:
            link.props["href"] = f"/g/{generation_id}"
            ui.label(generation_id)


def _show_orphans(library: Library, result: ui.element, findings: StorageReport) -> None:
    count, size = len(findings.orphans), measure.size(findings.orphan_bytes)
    template = ngettext(
        "{count} file is not in the library ({size}).",
        "{count} files are not in the library ({size}).",
        count,
    )
    ui.label(template.format(count=measure.number(count), size=size)).classes("r-strong")

    async def remove() -> None:
        removed = len((await library.storage.remove_orphans()).orphans)
        template = ngettext("Removed {count} file.", "Removed {count} files.", removed)
        toast(template.format(count=measure.number(removed)), tone="good")
        _show_findings(library, result, await library.storage.check())

    with ui.element("div").classes("r-row"):
        Button(_("Delete these files"), remove, icon_name="trash", look="trouble")


async def retention(library: Library) -> None:
    """Draws the retention rule."""
    rule = await library.retention.rule(owner=current_person())
    form = _RetentionForm(library, rule)
    with section(_("Retention"), _("Starred items are never removed.")):
        form.draw()


class _RetentionForm:
    def __init__(self, library: Library, rule: Rule) -> None:
        self.library = library
        self.keep = rule.keep
        self.days, self.gb = str(rule.days), f"{rule.gb:g}"

    def draw(self) -> None:
        labels = {keep: _(label) for keep, label in RULE_LABELS.items()}
        options(_("Retention"), labels, self.keep, on_choose=self.choose)
        self.days_field = line(_("Days"), self.days, lambda text: setattr(self, "days", text), key="days")
        self.gb_field = line(_("Gigabytes"), self.gb, lambda text: setattr(self, "gb", text), key="gb")
        self.meaning = ui.label().classes("r-quiet")
        with ui.element("div").classes("r-row"):
            Button(_("Save"), self.save)
        self.choose(self.keep)

    def choose(self, keep: str) -> None:
        if keep not in RULE_LABELS:
            return
        self.keep = keep  # type: ignore[assignment]
        self.days_field.box.visible = keep == "days"
        self.gb_field.box.visible = keep == "size"
        self.meaning.text = _(MEANINGS[keep])

    async def save(self) -> None:
        rule = self.read()
        if rule is None:
            return
        detail = f"{_(MEANINGS[rule.keep])} {_('The rule is applied immediately, then every hour.')}"
        if rule.keep != "all" and not await confirm(_("Save this retention rule?"), detail, yes=_("Save")):
            return
        try:
            count = await self.library.retention.set_rule(rule, owner=current_person())
        except InvalidRequest as error:
            (self.gb_field if error.field == "gb" else self.days_field).show_error(error_text(error))
            return
        template = ngettext(
            "Rule saved. Removed {count} item from the library.",
            "Rule saved. Removed {count} items from the library.",
            count,
        )
        toast(template.format(count=measure.number(count)) if count else _("Rule saved."), tone="good")

    def read(self) -> Rule | None:
        """Returns the entered rule, or None after showing an error at its field."""
        self.days_field.show_error("")
        self.gb_field.show_error("")
        rule = Rule(keep=self.keep)
        if self.keep == "days":
            if not self.days.strip().isdecimal() or len(self.days.strip()) > 6:
                sentence = _("Enter a number of days from 1 to {most}.")
                self.days_field.show_error(sentence.format(most=measure.number(MAX_DAYS)))
                return None
            rule = Rule(keep="days", days=int(self.days))
        if self.keep == "size":
            try:
                rule = Rule(keep="size", gb=float(self.gb.replace(",", ".")))
            except ValueError:
                sentence = _("Enter a size from 0.1 to {most} GB.")
                self.gb_field.show_error(sentence.format(most=measure.number(MAX_GB)))
                return None
        return rule
