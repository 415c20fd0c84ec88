"""Models as data: what the backends list, with a person's TOML merged on top."""

from services.catalogue.catalogue import Catalogue

__all__ = ["Catalogue"]
