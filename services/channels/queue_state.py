"""Whether a job waits in its backend's queue, by the reports of all channels."""

from services.core.model import Channel, JobUpdate, queued_stage


class QueueState:
    """A channel that never says "queued" may call a waiting job "running": only progress, or a channel that
    tells the two apart, shows that the work has begun.
    """

    def __init__(self) -> None:
        self.started_at: float | None = None
        """When the work began; None where no channel told of a queue."""
        self._tells: set[Channel] = set()
        """Channels that have said "queued"."""
        self._waits_by: set[Channel] = set()
        self._begun_by: Channel | None = None
        self._place: int | None = None
        self._waited_at = 0.0

    @property
    def stage(self) -> str:
        return queued_stage(self._place) if self._waits_by else ""

    def take(self, channel: Channel, update: JobUpdate, at: float) -> None:
        """After the begin, "queued" counts from the channel that told of the begin; another's may be late."""
        if update.queued and self._begun_by in (None, channel):
            self._tells.add(channel)
            self._waits_by.add(channel)
            self._begun_by, self._waited_at = None, at
            self._place = self._place if update.queue_place is None else update.queue_place
        elif (
            update.queued is False and self._begun_by is None and (channel in self._tells or update.progress)
        ):
            self._begin(channel, at)

    def finished(self, channel: Channel) -> None:
        """Its work began after the last report of the queue."""
        if self._waits_by:
            self._begin(channel, self._waited_at)

    def lost(self, channel: Channel) -> None:
        self._waits_by.discard(channel)

    def _begin(self, channel: Channel, at: float) -> None:
        if self._tells:
            self.started_at = at
        self._waits_by.clear()
        self._begun_by, self._place = channel, None
