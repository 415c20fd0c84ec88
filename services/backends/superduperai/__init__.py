"""SuperDuperAI's protocol: the hosted service, and the embedded animatic, which speaks the same."""

from services.backends.superduperai.adapter import SuperDuperAI
from services.backends.superduperai.factory import configured, embedded

__all__ = ["SuperDuperAI", "configured", "embedded"]
