"""Bring the database to the newest migration; done at each start."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from services.errors import CannotStart


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Raises CannotStart when the database cannot be opened or is newer than this version."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    except (SQLAlchemyError, CommandError) as error:
        cause = getattr(error, "orig", None) or error
        raise CannotStart(
            f"The database cannot be opened ({cause}). It may be damaged, read-only, or newer than this "
            "version of Rushes; nothing was changed."
        ) from error
