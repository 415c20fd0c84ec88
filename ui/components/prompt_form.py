"""The composer: what to make, drawn from the chosen model's data. Nothing typed is ever lost."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from services.core.errors import InvalidRequest
from services.core.model import Draft, Kind, Model
from services.generations.service import MOST_AT_ONCE, TypicalDuration
from services.library.embedded_facts import draft_in
from ui.components import field
from ui.components.aspect_ratio_picker import frames
from ui.components.button import Button
from ui.components.error_boundary import guarded
from ui.components.image_upload import ImageUpload
from ui.components.toast import toast
from ui.session import drafts
from ui.text import _, measure
from ui.text.errors import told

SEEDS = 2**32
"""Seeds there are: 0 up to one less."""
ModelKey = tuple[str, str]
ALIASES = {"duration": "duration_s", "aspect": "aspect_ratio", "backend": "model", "file": "source"}


class PromptForm:
    """`models` lists those that work from words, or (True) those that start from a picture.

    `submit` starts so many of a draft; what it and `check_source` raise as InvalidRequest is told at fields.
    `compose` takes settings that came with a file to the composer of their kind.
    """

    def __init__(
        self,
        kind: Kind,
        models: Callable[[bool], Sequence[Model]],
        typical: Mapping[ModelKey, TypicalDuration | None],
        *,
        submit: Callable[[Draft, int], Awaitable[None]],
        check_source: Callable[[str], Awaitable[None]],
        compose: Callable[[Kind, drafts.FormValues], object],
    ) -> None:
        self.kind = kind
        self.offered = models
        self.submit = submit
        self.check_source = check_source
        self.compose = compose
        self.typical = typical
        self.models: dict[ModelKey, Model] = {}
        self.typed = drafts.load(kind)
        self.fields: dict[str, field.Field] = {}
        self.other_way: ModelKey = ("", "")
        """The model chosen last with a picture while there is none, and the other way round."""
        self._learn()
        with ui.element("section").classes("r-composer") as section:
            section.props["aria-label"] = _("Composer")
            with ui.element("div").classes("r-composer-fields"):
                self._prompt()
                self._source()
                with ui.element("div").classes("r-stack") as self.settings:
                    self._settings()
            with ui.element("div").classes("r-composer-foot"):
                self._generate()

    def fill(self, typed: drafts.FormValues) -> None:
        """Take other values over: an example, or the settings of an earlier one."""
        if bool(typed.source) is not bool(self.typed.source):
            self.other_way = self.typed.backend, self.typed.model
        self.typed = typed
        self._learn()
        self.fields["prompt"].control.set_value(typed.prompt)
        self._show_source()
        self.typed.save(self.kind)

    def offer(self) -> None:
        """The model list may have changed; what did not leaves the fields alone."""
        if list(self.models.values()) != list(self.offered(bool(self.typed.source))):
            self._learn()
            self.redraw()

    async def start_from(self, source: str) -> None:
        """Take a picture in, or out with an empty name: the models change with it, what was typed stays."""
        try:
            if source:
                await self.check_source(source)
        except InvalidRequest as error:
            self.fields["source"].say(told(error))
            return
        typed = self.typed
        if bool(source) is not bool(typed.source):
            chosen = typed.backend, typed.model
            (typed.backend, typed.model), self.other_way = self.other_way, chosen
        typed.source = source
        self._learn()
        self._show_source()
        typed.save(self.kind)

    def redraw(self) -> None:
        self.settings.clear()
        with self.settings:
            self._settings()

    async def generate(self) -> None:
        for one in self.fields.values():
            one.say("")
        if not self.typed.prompt.strip():
            self.fields["prompt"].say(_("Write what you want to see."))
            return
        seed = self.typed.seed.strip()
        if seed and not (seed.isdecimal() and int(seed[:20]) < SEEDS):
            sentence = _("A whole number from 0 to {last}, or nothing for a random one.")
            self.fields["seed"].say(sentence.format(last=SEEDS - 1))
            return
        try:
            await self.submit(self.typed.draft(self.kind), self.typed.count)
        except InvalidRequest as error:
            name = ALIASES.get(error.field or "", error.field or "")
            self.fields.get(name, self.fields["prompt"]).say(told(error))

    async def recheck_source(self) -> None:
        """The one that lay in the composer may be gone: that is said, and the rest stays."""
        if not self.typed.source:
            return
        try:
            await self.check_source(self.typed.source)
        except InvalidRequest as error:
            await self.start_from("")
            self.fields["source"].say(told(error))

    def _prompt(self) -> None:
        example = _("A lighthouse above a stormy sea at night")
        if self.kind is Kind.VIDEO:
            example = _("A lighthouse above a stormy sea at night, slow zoom in")
        typed = self._typing("prompt")
        prompt = field.area(_("Prompt"), self.typed.prompt, typed, key="prompt", example=example)
        prompt.control.mark("prompt")
        self.fields["prompt"] = prompt

    def _source(self) -> None:
        with field.named(_("Picture to start from")) as source:
            self.well = ImageUpload(
                self.typed.source,
                on_source=self.start_from,
                on_story=self._restore,
                on_refused=source.say,
            )
        self.fields["source"] = source

    def _restore(self, story: str) -> None:
        """A file from here was dropped: it says what it was made with."""
        try:
            draft = draft_in(story.encode())
        except InvalidRequest as error:
            self.fields["source"].say(told(error))
            return
        self.compose(draft.kind, drafts.of_draft(draft))
        words = _("The settings of this file are in the composer.")
        toast(words, tone="good", open_it=self.well.take_anyway, act=_("Start from it instead"))

    def _show_source(self) -> None:
        self.fields["source"].say("")
        self.well.show(self.typed.source)
        self.redraw()

    def _generate(self) -> None:
        button = ui.element("button").classes("r-btn r-btn-main").props("type=button data-act=generate")
        button.on("click", guarded(self.generate), []).mark("generate")
        with button:
            ui.label(_("Generate"))
            ui.label("Ctrl ↵").classes("r-hint").props("aria-hidden=true")

    def _settings(self) -> None:
        self.fields = {name: one for name, one in self.fields.items() if name in ("prompt", "source")}
        self._model()
        model = self.models.get((self.typed.backend, self.typed.model))
        if model is None:
            return
        if len(model.aspect_ratios) > 1:
            with field.named(_("Frame")) as self.fields["aspect_ratio"]:
                chosen = self.typed.aspect_ratio
                frames(_("Frame"), model.aspect_ratios, chosen, on_choose=self._typing("aspect_ratio"))
        with ui.element("div").classes("r-two"):
            if self.kind is Kind.VIDEO and model.durations_s:
                lengths = {*model.durations_s, self.typed.duration_s or model.durations_s[0]}
                self._pick(_("Length"), "duration_s", {one: measure.length(one) for one in sorted(lengths)})
            if self.kind is Kind.IMAGE:
                self._pick(_("How many"), "count", {one: str(one) for one in range(1, MOST_AT_ONCE + 1)})
            self._seed()
        self._more(model)

    def _model(self) -> None:
        if self.models:
            options = {key: self._label(model) for key, model in self.models.items()}
            chosen = (self.typed.backend, self.typed.model)
            self.fields["model"] = field.choice(_("Model"), options, chosen, self._choose, key="model")
            return
        with field.named(_("Model")) as self.fields["model"]:
            sentence = _("No model can be had right now. The list is asked for again by itself.")
            if self.typed.source and self.offered(False):
                sentence = _("No model here starts from a picture: remove it to choose another one.")
            ui.label(sentence).classes("r-quiet")

    def _label(self, model: Model) -> str:
        typical = self.typical.get((model.backend, model.name))
        time = measure.roughly(typical.p50_s) if typical is not None else ""
        return " · ".join(part for part in (model.label, measure.price(model.price_per_second), time) if part)

    def _choose(self, key: ModelKey) -> None:
        self.typed.backend, self.typed.model = key
        self._fit()
        self.typed.save(self.kind)
        self.redraw()

    def _seed(self) -> None:
        with ui.element("div").classes("r-with-button"):
            seed = field.line(
                _("Seed"), self.typed.seed, self._typing("seed"), key="seed", example=_("random")
            )
            seed.control.props("inputmode=numeric")
            roll = Button(_("Roll a number"), icon_name="dice", look="bare", shown=False)
            roll.on("click", lambda: seed.control.set_value(str(random.randrange(SEEDS))), [])
            self.fields["seed"] = seed

    def _more(self, model: Model) -> None:
        with ui.element("details").classes("r-more"):
            with ui.element("summary"):
                ui.label(_("More settings"))
            with ui.element("div").classes("r-stack"):
                with ui.element("div").classes("r-two"):
                    self._pick(_("Resolution"), "resolution", {one: one for one in model.resolutions})
                    if self.kind is Kind.VIDEO and model.fps:
                        rates = {*model.fps, self.typed.fps or model.fps[0]}
                        self._pick(
                            _("Frame rate"),
                            "fps",
                            {one: _("{rate} fps").format(rate=one) for one in sorted(rates)},
                        )
                self._write(_("Leave out"), "negative_prompt", _("text, people, blur"))
                with ui.element("div").classes("r-two"):
                    self._write(_("Style"), "style", _("watercolour"))
                    self._write(_("Shot size"), "shot_size", _("wide"))

    def _pick(self, name: str, attribute: str, options: Mapping[Any, str]) -> None:
        value = getattr(self.typed, attribute)
        self.fields[attribute] = field.choice(name, options, value, self._typing(attribute), key=attribute)

    def _write(self, name: str, attribute: str, example: str) -> None:
        value = getattr(self.typed, attribute)
        self.fields[attribute] = field.line(
            name, value, self._typing(attribute), key=attribute, example=example
        )

    def _typing(self, attribute: str) -> Callable[[object], None]:
        def typed(value: object) -> None:
            setattr(self.typed, attribute, value)
            self.fields[attribute].say("")
            self.typed.save(self.kind)

        return typed

    def _learn(self) -> None:
        models = self.offered(bool(self.typed.source))
        self.models = {(one.backend, one.name): one for one in models}
        self._fit()

    def _fit(self) -> None:
        model = self.models.get((self.typed.backend, self.typed.model)) or next(
            iter(self.models.values()), None
        )
        if model is not None:
            self.typed.fit(model)
