"""The last model lists on disk: work is accepted after a restart while a backend is away."""

import logging
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from services.core.model import Model

log = logging.getLogger(__name__)

Lists = dict[str, list[Model]]
SHAPE = TypeAdapter(Lists)


def recall(path: Path) -> Lists:
    """Empty when there is none, or none of this version's. Blocks, for some kilobytes."""
    try:
        return SHAPE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        log.warning("The remembered model list is left aside: %s.", type(error).__name__)
        return {}


def remember(path: Path, lists: Lists) -> None:
    """Whole or not at all. Blocks. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".json.new")
    beside.write_bytes(SHAPE.dump_json(lists))
    beside.replace(path)
