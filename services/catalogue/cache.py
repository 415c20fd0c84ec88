"""Caches the model lists on disk, so that a restart accepts work while a backend is away."""

import logging
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from services.core.model import Model

log = logging.getLogger(__name__)

ModelLists = dict[str, list[Model]]
_ADAPTER = TypeAdapter(ModelLists)


def load(path: Path) -> ModelLists:
    """Empty without a file that this version can read. Blocks, for some kilobytes."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        log.warning("The remembered model list is left aside: %s.", type(error).__name__)
        return {}


def save(path: Path, lists: ModelLists) -> None:
    """Atomic. Blocks. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".json.new")
    new.write_bytes(_ADAPTER.dump_json(lists))
    new.replace(path)
