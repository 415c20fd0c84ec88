"""The library's search and filters as query parameters of the page's URL."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from time import time as now
from urllib.parse import urlencode

from services.core.model import STATES, UNWANTED_IN, GenerationQuery, Kind

DAY_S = 86_400.0
SPANS_S = {"day": DAY_S, "week": 7 * DAY_S, "month": 30 * DAY_S, "year": 365 * DAY_S}
BETWEEN = "between"
MAX_TEXT_LENGTH = 500


@dataclass(slots=True, kw_only=True)
class LibraryQuery:
    """Empty means any. `model` is backend and name, separated by a space; `since` and `until` are days
    (2026-11-22), both inclusive, in the server's time zone, and used only while `when` is BETWEEN.
    """

    q: str = ""
    kind: str = ""
    model: str = ""
    state: str = ""
    when: str = ""
    since: str = ""
    until: str = ""
    tag: str = ""
    starred: str = ""
    ranked: str = ""
    trash: str = ""

    def url(self) -> str:
        params = {one.name: value for one in fields(self) if (value := getattr(self, one.name))}
        return f"/library?{urlencode(params)}" if params else "/library"

    def generation_query(self) -> GenerationQuery:
        backend, _, model = self.model.partition(" ")
        since = until = None
        if self.when == BETWEEN:
            since, until = _day_start(self.since), _day_start(self.until, days=1)
        elif self.when:
            since = now() - SPANS_S[self.when]
        return GenerationQuery(
            kind=Kind(self.kind) if self.kind else None,
            words=self.q.strip() and self.q,
            ranked=bool(self.ranked and self.q.strip()),
            backend=backend or None,
            model=model or None,
            phases=STATES.get(self.state),
            unwanted=UNWANTED_IN.get(self.state),
            since=since,
            until=until,
            starred=bool(self.starred),
            tag=self.tag or None,
            trashed=bool(self.trash),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set; the trash and the order are none."""
        return any(getattr(self, one.name) for one in fields(self) if one.name not in ("trash", "ranked"))


def from_params(params: Mapping[str, str]) -> LibraryQuery:
    """Parses untrusted query parameters; invalid values are dropped."""
    query = LibraryQuery(
        **{one.name: params.get(one.name, "")[:MAX_TEXT_LENGTH] for one in fields(LibraryQuery)}
    )
    if query.kind not in list(Kind):
        query.kind = ""
    if query.state not in STATES:
        query.state = ""
    if query.when not in (*SPANS_S, BETWEEN):
        query.when = ""
    query.since, query.until = _day(query.since), _day(query.until)
    return query


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _day_start(day: str, *, days: int = 0) -> float | None:
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=days), time()).timestamp()
    except (OverflowError, OSError, ValueError):
        return None
