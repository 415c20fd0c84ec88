"""The person a page belongs to: the one place that sign-in will change."""

from services.core.model import LOCAL_OWNER


def current_person() -> str:
    """Returns the owner of the current page's data; today always the local person."""
    return LOCAL_OWNER
