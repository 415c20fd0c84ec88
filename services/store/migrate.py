"""Migrates the database to the newest revision, at each start."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from services.store.db_errors import cannot_open


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Raises CannotStart when the database cannot be opened or is newer than this version."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    script_location = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", script_location.replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    except (SQLAlchemyError, CommandError) as error:
        raise cannot_open(error) from error
