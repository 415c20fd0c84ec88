"""The owner of a request: `local`, as long as there is no sign-in."""

from typing import Annotated

from fastapi import Depends

from services.core.model import LOCAL_OWNER


def owner_of_request() -> str:
    return LOCAL_OWNER


Owner = Annotated[str, Depends(owner_of_request)]
