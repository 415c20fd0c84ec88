"""Everything that is kept, and what a person does with it: the door beside `generations`."""

from services.library.library import Library

__all__ = ["Library"]
