"""SuperDuperAI's protocol: the hosted service, and the embedded animatic, which speaks the same."""

from services.backends.superduperai.adapter import SuperDuperAI
from services.http.address import Address

__all__ = ["Address", "SuperDuperAI"]
