"""`models.toml`: the admin's labels, prices and figures, which override what a backend lists.

[superduperai."google-cloud/veo3"]
label = "Veo 3"
price_per_second = 0.5
durations_s = [5, 8]
poll_every_s = 20
hide = false
"""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.core.model import Model

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Ratio = Annotated[str, Field(pattern=r"^[1-9]\d{0,2}:[1-9]\d{0,2}$")]
Resolution = Annotated[str, Field(pattern=r"^[1-9]\d{2,3}p$")]


class Override(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    price_per_second: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    durations_s: tuple[Seconds, ...] | None = None
    aspect_ratios: Annotated[tuple[Ratio, ...], Field(min_length=1)] | None = None
    resolutions: Annotated[tuple[Resolution, ...], Field(min_length=1)] | None = None
    fps: tuple[Annotated[int, Field(ge=1, le=240)], ...] | None = None
    poll_every_s: Seconds | None = None
    poll_attempts: Annotated[int, Field(ge=1)] | None = None
    watch_for_s: Seconds | None = None
    hide: bool = False

    def apply(self, model: Model) -> Model:
        changes: dict[str, Any] = self.model_dump(exclude_none=True, exclude={"hide"})
        if "durations_s" in changes:
            changes |= {"durations_s": tuple(sorted(changes["durations_s"])), "any_duration": False}
        if "fps" in changes:
            changes["any_fps"] = False
        return replace(model, **changes)


NONE = Override()


@dataclass(frozen=True, slots=True)
class Overrides:
    by_name: dict[tuple[str, str], Override] = field(default_factory=dict)
    problem: str = ""
    """One sentence about the entries that are skipped."""

    def apply(self, model: Model) -> Model:
        return self.by_name.get((model.backend, model.name), NONE).apply(model)

    def hides(self, model: Model) -> bool:
        return self.by_name.get((model.backend, model.name), NONE).hide


def read_overrides(path: Path) -> Overrides:
    """Blocks. Errors in the file are in `problem`."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Overrides()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        return Overrides(problem=f"{path.name} cannot be read, nothing of it is used: {error}.")
    found: dict[tuple[str, str], Override] = {}
    wrong: list[str] = []
    for backend, entries in tables.items():
        for name, entry in (entries if isinstance(entries, dict) else {"": entries}).items():
            try:
                found[backend, name] = Override.model_validate(entry)
            except ValidationError as error:
                first = error.errors()[0]
                field_path = ".".join(map(str, first["loc"]))
                parts = (f"{backend} {name}".strip(), field_path, first["msg"])
                wrong.append(": ".join(part for part in parts if part))
    return Overrides(found, f"{path.name}: {'; '.join(wrong[:3])}." if wrong else "")
