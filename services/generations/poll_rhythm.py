"""How often a generation is polled, and for how long it is watched: settings, and the model's own figures."""

from collections.abc import Mapping

from services.backends.base import Backend
from services.catalogue import Catalogue
from services.channels.poll_policy import PollPolicy, chat_policy, tool_policy
from services.core.model import Generation, Request
from services.core.settings import Settings


class PollRhythm:
    def __init__(self, settings: Settings, catalogue: Catalogue, backends: Mapping[str, Backend]) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._backends = backends

    def policy_of(self, generation: Generation) -> PollPolicy:
        request = generation.request
        every_s = self._every_s(request)
        limit_s = self._backends[request.backend].capabilities.poll_at_most_every_s
        if request.chat_id is not None:
            return chat_policy(self._settings.chat_poll_after_s, every_s, min_gap_s=limit_s)
        return tool_policy(every_s, min_gap_s=limit_s)

    def late_after_s(self, request: Request) -> float:
        """Seconds until the "taking longer" message."""
        model = self._catalogue.find(request.kind, request.backend, request.model)
        return self._every_s(request) * ((model and model.poll_attempts) or self._settings.poll_attempts)

    def watch_for_s(self, request: Request) -> float:
        """Seconds until a silent job is given up (R5)."""
        model = self._catalogue.find(request.kind, request.backend, request.model)
        return (model and model.watch_for_s) or self._settings.watch_for_s

    def _every_s(self, request: Request) -> float:
        model = self._catalogue.find(request.kind, request.backend, request.model)
        return (model and model.poll_every_s) or self._settings.poll_every_s
