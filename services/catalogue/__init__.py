"""Models as data: the backends' lists, with the admin's TOML merged on top; submits nothing."""

from services.catalogue.catalogue import Catalogue

__all__ = ["Catalogue"]
