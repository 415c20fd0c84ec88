"""The composer: a form drawn from the chosen model's capabilities. Its values are always stored."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from services.core.errors import InvalidRequest
from services.core.model import ANIMATIC, Draft, Kind, Model
from services.generations.service import MAX_AT_ONCE, TypicalDuration
from services.library.embedded_facts import read_draft
from ui.components import animatic_notice, field
from ui.components.aspect_ratio_picker import aspect_ratio_picker
from ui.components.button import Button
from ui.components.image_upload import ImageUpload
from ui.components.keyboard_help import key_name
from ui.components.press import Press, on_press
from ui.components.toast import toast
from ui.session import drafts
from ui.text import _, measure
from ui.text.errors import error_text

SEED_COUNT = 2**32
"""Seeds go from 0 to one less."""
TEXT_FIELDS = frozenset({"prompt", "seed", "negative_prompt", "style", "shot_size"})
ModelKey = tuple[str, str]
FIELD_NAMES = {"duration": "duration_s", "aspect": "aspect_ratio", "backend": "model", "file": "source"}


class PromptForm:
    """`models` lists the models; its argument is whether they start from a picture.

    `submit` starts a number of generations of a draft, once for each press; an InvalidRequest from it or from
    `check_source` is shown at the field. `compose` opens settings read from a file in their kind's composer.
    """

    def __init__(
        self,
        kind: Kind,
        models: Callable[[bool], Sequence[Model]],
        typical: Mapping[ModelKey, TypicalDuration | None],
        *,
        submit: Callable[[Draft, int, Press], Awaitable[None]],
        check_source: Callable[[str], Awaitable[None]],
        compose: Callable[[Kind, drafts.FormValues], object],
    ) -> None:
        self.kind = kind
        self.list_models = models
        self.submit = submit
        self.check_source = check_source
        self.compose = compose
        self.typical = typical
        self.models: dict[ModelKey, Model] = {}
        self.values = drafts.load(kind)
        self.fields: dict[str, field.Field] = {}
        self.seed_note: ui.element | None = None
        self.previous_model: ModelKey = ("", "")
        """The model last chosen in the other mode, with or without a source picture."""
        self._load_models()
        with ui.element("section").classes("r-composer") as section:
            section.props["aria-label"] = _("Composer")
            with ui.element("div").classes("r-composer-fields"):
                self._prompt()
                self._source()
                with ui.element("div").classes("r-stack") as self.settings:
                    self._settings()
            with ui.element("div").classes("r-composer-foot"):
                self._generate()

    def fill(self, values: drafts.FormValues) -> None:
        """Replaces the values, by an example or the settings of an earlier generation."""
        if bool(values.source) is not bool(self.values.source):
            self.previous_model = self.values.backend, self.values.model
        self.values = values
        self._load_models()
        self.fields["prompt"].control.set_value(values.prompt)
        self._show_source()
        self.values.save(self.kind)

    def update_models(self) -> None:
        """Redraws the settings if the model list has changed."""
        if list(self.models.values()) != list(self.list_models(bool(self.values.source))):
            self._load_models()
            self.redraw()

    async def start_from(self, source: str, name: str = "") -> None:
        """Sets the source picture, or removes it without one, and offers the matching models."""
        try:
            if source:
                await self.check_source(source)
        except InvalidRequest as error:
            self.fields["source"].show_error(error_text(error))
            return
        values = self.values
        if bool(source) is not bool(values.source):
            chosen = values.backend, values.model
            (values.backend, values.model), self.previous_model = self.previous_model, chosen
        values.source, values.source_name = source, name
        self._load_models()
        self._show_source()
        values.save(self.kind)

    def redraw(self) -> None:
        self.settings.clear()
        with self.settings:
            self._settings()

    async def generate(self, press: Press) -> None:
        for one in self.fields.values():
            one.show_error("")
        self._take(press.texts)
        if not self.values.prompt.strip():
            self.fields["prompt"].show_error(_("Describe what you want to see."))
            return
        seed = self.values.seed.strip()
        if seed and not (seed.isdecimal() and int(seed[:20]) < SEED_COUNT):
            sentence = _("Enter a whole number from 0 to {last}, or leave blank for random.")
            self.fields["seed"].show_error(sentence.format(last=SEED_COUNT - 1))
            return
        try:
            await self.submit(self.values.draft(self.kind), self.values.count, press)
            self._forget_earlier_seed()
        except InvalidRequest as error:
            name = FIELD_NAMES.get(error.field or "", error.field or "")
            self.fields.get(name, self.fields["prompt"]).show_error(error_text(error))

    def _take(self, texts: Mapping[str, str]) -> None:
        """What the boxes hold counts, also where an earlier event was lost on the way."""
        for name in TEXT_FIELDS & texts.keys() & self.fields.keys():
            self.fields[name].control.set_value(texts[name])

    async def recheck_source(self) -> None:
        """Removes a source picture that no longer exists, and says so."""
        if not self.values.source:
            return
        try:
            await self.check_source(self.values.source)
        except InvalidRequest as error:
            await self.start_from("")
            self.fields["source"].show_error(error_text(error))

    def _prompt(self) -> None:
        example = _("A lighthouse above a stormy sea at night")
        if self.kind is Kind.VIDEO:
            example = _("A lighthouse above a stormy sea at night, slow zoom in")
        on_change = self._on_change("prompt")
        prompt = field.area(_("Prompt"), self.values.prompt, on_change, key="prompt", example=example)
        prompt.control.mark("prompt")
        self.fields["prompt"] = prompt

    def _source(self) -> None:
        with field.named(_("Starting image")) as source:
            self.image_upload = ImageUpload(
                self.values.source,
                self.values.source_name,
                on_source=self.start_from,
                on_metadata=self._restore_settings,
                on_refused=source.show_error,
            )
        self.fields["source"] = source

    def _restore_settings(self, metadata: str) -> None:
        """Opens the settings embedded in a dropped file."""
        try:
            draft = read_draft(metadata.encode())
        except InvalidRequest as error:
            self.fields["source"].show_error(error_text(error))
            return
        self.compose(draft.kind, drafts.from_draft(draft))
        text = _("Settings loaded from the file.")
        toast(
            text,
            tone="good",
            on_open=self.image_upload.upload_anyway,
            action_label=_("Use as starting image"),
        )

    def _show_source(self) -> None:
        self.fields["source"].show_error("")
        self.image_upload.show(self.values.source, self.values.source_name)
        self.redraw()

    def _generate(self) -> None:
        button = ui.element("button").classes("r-btn r-btn-main").props("type=button data-act=generate")
        on_press(button.mark("generate"), self.generate)
        with button:
            ui.label(_("Generate"))
            with ui.element("div").classes("r-hint").props("aria-hidden=true"):
                key_name("Ctrl ↵")

    def _settings(self) -> None:
        self.fields = {name: one for name, one in self.fields.items() if name in ("prompt", "source")}
        self._model()
        model = self.models.get((self.values.backend, self.values.model))
        if model is None:
            return
        if len(model.aspect_ratios) > 1:
            with field.named(_("Aspect ratio")) as self.fields["aspect_ratio"]:
                chosen = self.values.aspect_ratio
                aspect_ratio_picker(
                    _("Aspect ratio"), model.aspect_ratios, chosen, on_choose=self._on_change("aspect_ratio")
                )
        with ui.element("div").classes("r-two"):
            if self.kind is Kind.VIDEO and model.durations_s:
                lengths = {*model.durations_s, self.values.duration_s or model.durations_s[0]}
                self._choice_field(
                    _("Length"), "duration_s", {one: measure.length(one) for one in sorted(lengths)}
                )
            if self.kind is Kind.IMAGE:
                self._choice_field(_("Images"), "count", {one: str(one) for one in range(1, MAX_AT_ONCE + 1)})
            self._seed()
        self._earlier_seed()
        self._more(model)

    def _model(self) -> None:
        if self.models:
            options = {key: self._label(model) for key, model in self.models.items()}
            chosen = (self.values.backend, self.values.model)
            choice = field.choice(_("Model"), options, chosen, self._choose, key="model")
            self.fields["model"] = choice
            if self.values.backend == ANIMATIC:
                with choice.box:
                    animatic_notice.about_model()
            return
        with field.named(_("Model")) as self.fields["model"]:
            sentence = _("No models available. Trying again automatically.")
            if self.values.source and self.list_models(False):
                sentence = _("No model accepts a starting image. Remove the image to choose a model.")
            ui.label(sentence).classes("r-quiet")

    def _label(self, model: Model) -> str:
        typical = self.typical.get((model.backend, model.name))
        time = measure.roughly(typical.p50_s) if typical is not None else ""
        price = measure.price(model.price_per_second)
        if model.backend == ANIMATIC:
            price = _("free rehearsal, no AI model")
        return " · ".join(part for part in (model.label, price, time) if part)

    def _choose(self, key: ModelKey) -> None:
        self.values.backend, self.values.model = key
        self._fit_model()
        self.values.save(self.kind)
        self.redraw()

    def _seed(self) -> None:
        with ui.element("div").classes("r-with-button"):
            seed = field.line(
                _("Seed"), self.values.seed, self._on_change("seed"), key="seed", example=_("random")
            )
            seed.control.props("inputmode=numeric")
            roll = Button(_("Random seed"), icon_name="dice", look="bare", shown=False)
            roll.on("click", lambda: seed.control.set_value(str(random.randrange(SEED_COUNT))), [])
            self.fields["seed"] = seed

    def _earlier_seed(self) -> None:
        """Says after "Use again" that the seed changes, and offers the earlier one."""
        with ui.element("p").classes("r-aside") as self.seed_note:
            sentence = _("The seed changes. It was {seed}.")
            ui.label(sentence.format(seed=self.values.earlier_seed))
            Button(_("Keep the seed"), self._keep_seed, look="bare")
        self._show_seed_note()

    def _keep_seed(self) -> None:
        self.fields["seed"].control.set_value(self.values.earlier_seed)

    def _show_seed_note(self) -> None:
        if self.seed_note is not None:
            self.seed_note.visible = bool(self.values.earlier_seed and not self.values.seed.strip())

    def _forget_earlier_seed(self) -> None:
        self.values.earlier_seed = ""
        self.values.save(self.kind)
        self._show_seed_note()

    def _more(self, model: Model) -> None:
        with ui.element("details").classes("r-more"):
            with ui.element("summary"):
                ui.label(_("More settings"))
            with ui.element("div").classes("r-stack"):
                with ui.element("div").classes("r-two"):
                    self._choice_field(_("Resolution"), "resolution", {one: one for one in model.resolutions})
                    if self.kind is Kind.VIDEO and model.fps:
                        rates = {*model.fps, self.values.fps or model.fps[0]}
                        self._choice_field(
                            _("Frame rate"),
                            "fps",
                            {one: _("{rate} fps").format(rate=one) for one in sorted(rates)},
                        )
                self._text_field(_("Negative prompt"), "negative_prompt", _("text, people, blur"))
                with ui.element("div").classes("r-two"):
                    self._text_field(_("Style"), "style", _("watercolor"))
                    self._text_field(_("Shot size"), "shot_size", _("wide"))

    def _choice_field(self, name: str, attribute: str, options: Mapping[Any, str]) -> None:
        value = getattr(self.values, attribute)
        self.fields[attribute] = field.choice(name, options, value, self._on_change(attribute), key=attribute)

    def _text_field(self, name: str, attribute: str, example: str) -> None:
        value = getattr(self.values, attribute)
        self.fields[attribute] = field.line(
            name, value, self._on_change(attribute), key=attribute, example=example
        )

    def _on_change(self, attribute: str) -> Callable[[object], None]:
        def on_change(value: object) -> None:
            setattr(self.values, attribute, value)
            self.fields[attribute].show_error("")
            if attribute == "seed":
                self._show_seed_note()
            self.values.save(self.kind)

        return on_change

    def _load_models(self) -> None:
        models = self.list_models(bool(self.values.source))
        self.models = {(one.backend, one.name): one for one in models}
        self._fit_model()

    def _fit_model(self) -> None:
        model = self.models.get((self.values.backend, self.values.model)) or next(
            iter(self.models.values()), None
        )
        if model is not None:
            self.values.fit(model)
