"""The matrix: what each fault means at each point, or why it is impossible there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.matrix.plan import (
    BACKENDS,
    BLIND,
    FAULTS,
    POINTS,
    SHAPES,
    SUBMIT_POINTS,
    Cell,
    Combination,
    End,
    Plan,
    cell,
)
from tests.support.fault_proxy import ConnectionFault

HEAD = b"\r\n\r\n"
PROGRESS = b"render_progress"
LAST = b'"type": "file"'
FAILS = {"fails": "The lens broke."}
RETRY = "1"


def line(what: str, how: str, times: int = 2, end: End = End.DONE, **more: object) -> Plan:
    return Plan(lines={what: ConnectionFault(how=how, times=times, **more)}, end=end)  # type: ignore[arg-type]


def port(what: str, which: str, times: int = 2, end: End = End.DONE) -> Plan:
    return Plan(ports={what: which}, port_times=times, end=end)


def wire(end: End = End.DONE, **script: object) -> Plan:
    return Plan(wire=script, end=end)


def doubled(what: str, times: int) -> dict[str, Plan]:
    """At once, or when the connection is idle again."""
    return {"": line(what, "again", times), "a moment later": line(what, "again", times, for_s=0.1)}


def either_end(plan: Plan, how: str | None = None, **more: object) -> dict[str, Plan]:
    """The same for a job that succeeds and for one that fails."""
    failing = Plan(wire={**plan.wire, **FAILS}, lines=plan.lines, end=End.FAILED)
    if how is not None:
        lines = {"stream": ConnectionFault(how=how, times=2, past=b'"type": "error"', after=10, **more)}  # type: ignore[arg-type]
        failing = Plan(wire=FAILS, lines=lines, end=End.FAILED)
    return {"": plan, "of a failure": failing}


def last(how: str, **more: object) -> dict[str, Plan]:
    return either_end(line("stream", how, past=LAST, after=10, **more), how, **more)


def either_commit(database: str, times: int = 2) -> dict[str, Plan]:
    """Of the job's id, of the phase "collecting", and of the result."""
    phases = {"of the id": "processing", "of the download": "collecting", "of the result": "completed"}
    return {name: Plan(database=database, commits=phase, times=times) for name, phase in phases.items()}


NO_STATUS = "A status precedes the first event."
LOCAL = "The disk has no protocol."
IN_HAND = "A local call returns; there is no answer to wait for."

Row = Mapping[str, Cell | str]

SUBMIT: Row = {
    "refuse": cell("The connection is refused: certainly not sent.", port("submit", "refuses")),
    "reset": cell("The connection breaks before it is forwarded.", line("submit", "reset_before", 1, End.NOT_TAKEN)),
    "time-out": cell("The handshake never ends: certainly not sent.", port("submit", "stuck", 1)),
    "half-open": cell("Connected, and never read.", port("submit", "unread", 1, End.NOT_TAKEN)),
    "silence": cell("Read, neither forwarded nor answered.", line("submit", "swallow", 1, End.NOT_TAKEN)),
    "slow": cell("It is forwarded slowly.", line("submit", "crawl", 1, for_s=1.0)),
    "truncated": cell("Half of it is forwarded.", line("submit", "half", 1, End.NOT_TAKEN)),
    "429": cell("Busy: Retry-After.", wire(submit="429", submit_times=1, retry_after=RETRY)),
    "5xx": cell("503: not accepted.", wire(submit="503", submit_times=2)),
    "401": cell("The API key is refused.", wire(End.REFUSED, submit="401")),
    "malformed": cell("The backend cannot read it: 422.", wire(End.REFUSED, submit="422")),
    "oversize": cell("Larger than the backend takes: 413.", wire(End.REFUSED, submit="413")),
    "duplicate": cell(
        "It is forwarded twice.", line("submit", "twice", 1), only=frozenset({"keyed"}),
        why_only="Without an idempotency key a doubled request is paid twice, and no client can see it.",
    ),
    "out of order": "Nothing precedes a submit.",
}  # fmt: skip

ANSWER: Row = {
    "refuse": "A refused connection has no answer.",
    "reset": cell("Accepted, then the connection breaks.", line("submit", "reset", 1, End.TAKEN)),
    "time-out": cell("Accepted, answered after the timeout.", line("submit", "late", 1, End.TAKEN, for_s=8.0)),
    "half-open": cell("Accepted, never answered.", line("submit", "stall", 1, End.TAKEN)),
    "silence": cell("Accepted; nothing follows the answer's head.", line("submit", "stall", 1, End.TAKEN, past=HEAD)),
    "slow": cell("The answer is slow.", line("submit", "slow", 1, for_s=1.0)),
    "truncated": cell("Half an answer.", line("submit", "cut", 1, End.TAKEN, past=HEAD, after=9)),
    "429": cell(
        "A gateway answers 429 to an accepted submit.", wire(End.TAKEN, submit="429_taken", submit_times=1, retry_after=RETRY),
        only=frozenset({"keyed"}), why_only="429 means not accepted; without an idempotency key nothing contradicts it.",
    ),
    "5xx": cell("Accepted, and answered 500.", wire(End.TAKEN, submit="500_taken", submit_times=1)),
    "401": "The API key is checked before a job is accepted.",
    "malformed": cell("Accepted, the answer is no JSON.", wire(End.TAKEN, submit="unreadable", submit_times=1)),
    "oversize": cell("Accepted, the answer has 2 MB.", wire(End.TAKEN, submit="huge", submit_times=1)),
    "duplicate": cell("The answer is sent twice.", doubled("submit", 1)),
    "out of order": cell(
        "The job is completed before its submit is answered.",
        Plan(wire={"length_s": 0.1}, lines={"submit": ConnectionFault(how="late", for_s=1.2)}),
        only=frozenset({"pull only", "both"}),
        why_only="Push alone cannot receive an event that precedes the job's id.",
    ),
}  # fmt: skip

OPEN: Row = {
    "refuse": cell("The connection is refused.", port("stream", "refuses")),
    "reset": cell("The connection breaks before the answer.", line("stream", "reset")),
    "time-out": cell("The handshake never ends.", port("stream", "stuck")),
    "half-open": cell("Connected, and never read.", port("stream", "unread")),
    "silence": cell("Requested, never answered.", line("stream", "swallow")),
    "slow": cell("The answer is slow.", line("stream", "slow", for_s=0.3), harmless=True),
    "truncated": cell("Closed in the middle of the head.", line("stream", "cut", past=b"HTTP/1.1 200")),
    "429": cell("Busy: Retry-After.", wire(push="429", push_times=2, retry_after=RETRY)),
    "5xx": cell("500.", wire(push="500", push_times=2)),
    "401": cell("The API key is refused.", wire(push="401", push_times=2)),
    "malformed": cell("A page instead of a stream.", wire(push="html", push_times=2)),
    "oversize": cell("A head without an end.", line("stream", "long_head")),
    "duplicate": cell(
        "Each new stream repeats the earlier events.", wire(push="drop", push_after=2, push_times=2, replay=True),
        harmless=True,
    ),
    "out of order": cell(
        "Opened after the last event, without a replay.", wire(push="late", push_late_s=3.0, length_s=0.5),
        only=frozenset({"pull only", "both"}), why_only="Push alone cannot receive an event that precedes the stream.",
    ),
}  # fmt: skip

MIDSTREAM: Row = {
    "refuse": "An open connection cannot be refused.",
    "reset": cell("The connection breaks between two events.", line("stream", "reset", past=PROGRESS, after=80)),
    "time-out": "An open stream has no answer to time out; see silence.",
    "half-open": cell("Nothing more is sent, and nothing closed.", line("stream", "stall", past=PROGRESS, after=80)),
    "silence": cell("Comments, but no event of the job.", wire(push="comments", push_times=2, comment_every_s=0.3)),
    "slow": cell("Events are slow.", line("stream", "slow", for_s=0.2), harmless=True),
    "truncated": cell("Closed in the middle of an event.", line("stream", "cut", past=PROGRESS, after=5)),
    "429": NO_STATUS,
    "5xx": NO_STATUS,
    "401": NO_STATUS,
    "malformed": cell("Events that are no JSON.", wire(push="garbage", push_times=2)),
    "oversize": cell("An event without an end.", wire(push="oversize", push_times=2)),
    "duplicate": cell("Each event three times.", wire(push="duplicates"), harmless=True),
    "out of order": cell("Progress falls.", wire(push="backwards"), harmless=True),
}  # fmt: skip

POLL: Row = {
    "refuse": cell("The connection is refused.", port("poll", "refuses", 3)),
    "reset": cell("The connection breaks before the answer.", line("poll", "reset", 3)),
    "time-out": cell("The handshake never ends.", port("poll", "stuck")),
    "half-open": cell("Connected, and never read.", port("poll", "unread")),
    "silence": cell("Nothing follows the answer's head.", line("poll", "stall", past=HEAD)),
    "slow": cell("The answer is slow.", line("poll", "slow", 3, for_s=0.6), harmless=True),
    "truncated": cell("Half an answer.", line("poll", "cut", 3, past=HEAD, after=20)),
    "429": cell("Busy: Retry-After.", wire(poll="429", poll_times=2, retry_after=RETRY)),
    "5xx": cell("500.", wire(poll="500", poll_times=3)),
    "401": cell("The API key is refused.", wire(poll="401", poll_times=2)),
    "malformed": cell("No JSON.", {"": wire(poll="bad_json", poll_times=3), "a page": wire(poll="html", poll_times=3)}),
    "oversize": cell("4 MB, or nested 100,000 deep.", {"": wire(poll="huge", poll_times=3), "deep": wire(poll="deep", poll_times=3)}),
    "duplicate": cell("The answer is sent twice.", doubled("poll", 3), harmless=True),
    "out of order": cell(
        "An older answer, or another job's.",
        {"another's": wire(poll="another", poll_times=3), "": wire(poll="older")},
    ),
}  # fmt: skip

TERMINAL: Row = {
    "refuse": "No connection is opened for an event.",
    "reset": cell("The connection breaks in the middle of it.", last("reset")),
    "time-out": "It has no timeout of its own; see silence.",
    "half-open": cell("It stops in the middle, nothing is closed.", last("stall")),
    "silence": cell("The stream lives, but the final event never comes.", either_end(wire(final="never", final_times=2))),
    "slow": cell("It is slow.", either_end(line("stream", "slow", for_s=0.4), "slow", for_s=0.4), harmless=True),
    "truncated": cell("Closed in the middle of it.", last("cut")),
    "429": NO_STATUS,
    "5xx": NO_STATUS,
    "401": NO_STATUS,
    "malformed": cell("It is no JSON.", either_end(wire(final="garbled", final_times=2))),
    "oversize": cell("It has 2 MB.", either_end(wire(final="huge", final_times=2))),
    "duplicate": cell("Three times.", either_end(wire(push="duplicates")), harmless=True),
    "out of order": cell("Progress follows it, and falls.", either_end(wire(final="first")), harmless=True),
}  # fmt: skip

DOWNLOAD: Row = {
    "refuse": cell("The connection is refused.", port("download", "refuses")),
    "reset": cell("The connection breaks in the middle.", line("download", "reset", past=HEAD, after=500)),
    "time-out": cell("The handshake never ends.", port("download", "stuck", 1)),
    "half-open": cell("Connected, and never read.", port("download", "unread", 1)),
    "silence": cell("It stops in the middle, nothing is closed.", line("download", "stall", past=HEAD, after=500)),
    "slow": cell("The bytes are slow.", line("download", "slow", for_s=1.0)),
    "truncated": cell("Closed before the end.", line("download", "cut", past=HEAD, after=500)),
    "429": cell("Busy: Retry-After.", wire(download="429", download_times=2, retry_after=RETRY)),
    "5xx": cell("500.", wire(download="500", download_times=2)),
    "401": cell("The link has expired.", wire(download="401", download_times=2)),
    "malformed": cell(
        "Not what the header says.",
        {
            "": wire(download="garbage", download_times=2, end=End.PROBLEM),
            "once": wire(download="garbage", download_times=1),
            "other bytes each time": wire(download="noise", download_times=2),
            "a page": wire(download="html", download_times=2),
        },
    ),
    "oversize": cell("Without an end.", wire(download="endless", download_times=2)),
    "duplicate": cell("The file is sent twice.", doubled("download", 2)),
    "out of order": cell("The end instead of the whole (206).", wire(download="partial", download_times=2)),
}  # fmt: skip

RENAME: Row = {
    "refuse": cell("Not permitted (EACCES).", Plan(disk="link EACCES")),
    "reset": cell(
        "The sync or the close of the file fails (EIO).",
        {"": Plan(disk="sync EIO"), "as it is closed": Plan(disk="close EIO")},
    ),
    "time-out": IN_HAND,
    "half-open": IN_HAND,
    "silence": IN_HAND,
    "slow": cell("It takes half a second.", Plan(disk="link slow")),
    "truncated": "The weekly scrub finds what a disk loses later.",
    "429": LOCAL,
    "5xx": LOCAL,
    "401": cell("A disk without hard links (EPERM).", Plan(disk="link EPERM", times=99)),
    "malformed": LOCAL,
    "oversize": cell(
        "No room (ENOSPC).", {"": Plan(disk="link ENOSPC"), "while it is written": Plan(disk="write ENOSPC")}
    ),
    "duplicate": cell("A file that must stay has the name.", Plan(disk="link EEXIST")),
    "out of order": cell("Linked, but the sync of the folder fails (EIO).", Plan(disk="folder EIO")),
}  # fmt: skip

COMMIT: Row = {
    "refuse": cell("The database cannot be written.", either_commit("readonly")),
    "reset": cell("The commit fails and is rolled back.", either_commit("failing commit")),
    "time-out": cell("Locked by another process.", either_commit("locked")),
    "half-open": cell("Committed, and the answer is lost.", either_commit("lost answer", 1)),
    "silence": IN_HAND,
    "slow": cell("The commit takes half a second.", either_commit("slow commit", 1)),
    "truncated": "A transaction is atomic.",
    "429": LOCAL,
    "5xx": LOCAL,
    "401": LOCAL,
    "malformed": "A damaged database is refused at startup.",
    "oversize": cell("The disk is full.", either_commit("full")),
    "duplicate": cell(
        "Both channels have the bytes and commit at once.", Plan(database="both at once", times=1),
        only=frozenset({"both"}), why_only="One channel commits once.",
    ),
    "out of order": cell("The row was taken over during the download.", Plan(database="taken over", times=1)),
}  # fmt: skip

TABLE: Mapping[str, Row] = dict(
    zip(POINTS, (SUBMIT, ANSWER, OPEN, MIDSTREAM, POLL, TERMINAL, DOWNLOAD, RENAME, COMMIT), strict=True)
)


def combinations(point: str) -> Iterator[Combination]:
    """All possible ones."""
    for fault, shape, backend in every(point):
        meaning = TABLE[point][fault]
        if isinstance(meaning, Cell) and not why_not(point, fault, shape, backend):
            for variant, plan in meaning.plans.items():
                yield Combination(
                    point=point, fault=fault, shape=shape, backend=backend, variant=variant, plan=plan
                )


def left_out(point: str) -> dict[tuple[str, str, str], str]:
    """The impossible ones, as fault, shape and backend, and why."""
    return {where: why for where in every(point) if (why := why_not(point, *where))}


def every(point: str) -> Iterator[tuple[str, str, str]]:
    backends = (*BACKENDS, BLIND) if point in SUBMIT_POINTS else BACKENDS
    return ((fault, shape, backend) for fault in FAULTS for shape in SHAPES for backend in backends)


def why_not(point: str, fault: str, shape: str, backend: str) -> str:
    meaning = TABLE[point][fault]
    if isinstance(meaning, str):
        return meaning
    for each, known in ((shape, SHAPES), (backend, (*BACKENDS, BLIND))):
        if meaning.only & set(known) and each not in meaning.only:
            return meaning.why_only
    whole = Combination(point=point, fault=fault, shape=shape, backend=backend, variant="", plan=Plan())
    if meaning.harmless and whole.is_permanent:
        return "The channel works all the same, so it cannot be the broken one."
    return ""
