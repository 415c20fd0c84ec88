"""/metrics: each end once, labels bounded."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from prometheus_client import generate_latest

from services.api import Metrics
from services.core.events import Bus
from services.core.model import Phase, TraceEntry
from tests.services.api.stand_in import BORN_AT, generation, kept, receipt

DONE = generation(phase=Phase.COMPLETED, kept=kept("a.mp4", 4), receipt=receipt())
WON = {"channel": "push", "backend": "animatic", "kind": "video"}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def metrics(bus: Bus) -> Metrics:
    return Metrics(bus, backends=["animatic"], clock=lambda: BORN_AT)


def test_a_completion_is_counted_once_however_often_it_is_told(bus: Bus, metrics: Metrics) -> None:
    for row in (DONE, replace(DONE, poster="p.webp"), replace(DONE, trashed_at=BORN_AT + 99)):
        bus.publish(row)
    assert value(metrics, "rushes_wins_total", **WON) == 1
    assert value(metrics, "rushes_delivery_lag_seconds_count") == 1
    assert value(metrics, "rushes_delivery_lag_seconds_sum") == pytest.approx(0.35)


def test_what_was_kept_by_an_earlier_process_is_not_counted_again(bus: Bus, metrics: Metrics) -> None:
    bus.publish(replace(DONE, receipt=receipt(kept_at=BORN_AT - 1), trashed_at=BORN_AT + 99))
    assert value(metrics, "rushes_wins_total", **WON) is None


def test_a_backends_clock_that_runs_ahead_is_no_negative_lag(bus: Bus, metrics: Metrics) -> None:
    bus.publish(replace(DONE, receipt=receipt(backend_finished_at=BORN_AT + 60)))
    assert value(metrics, "rushes_delivery_lag_seconds_sum") == 0


def test_without_the_backends_own_word_the_lag_begins_with_its_news(bus: Bus, metrics: Metrics) -> None:
    bus.publish(replace(DONE, receipt=receipt(backend_finished_at=None)))
    assert value(metrics, "rushes_delivery_lag_seconds_sum") == pytest.approx(0.25)


def test_an_error_that_completes_late_counts_as_both(bus: Bus, metrics: Metrics) -> None:
    failed = generation(phase=Phase.ERROR, error_code="gave_up", finished_at=BORN_AT + 2)
    for row in (failed, replace(failed, trashed_at=BORN_AT + 3), DONE):
        bus.publish(row)
    assert value(metrics, "rushes_failures_total", code="gave_up") == 1
    assert value(metrics, "rushes_wins_total", **WON) == 1


def test_open_and_unconfirmed_ones_are_gauged(bus: Bus, metrics: Metrics) -> None:
    metrics.resume([generation("old", phase=Phase.PROCESSING)])
    bus.publish(generation("new", phase=Phase.UNCONFIRMED))
    assert value(metrics, "rushes_open_generations") == 2
    assert value(metrics, "rushes_unconfirmed") == 1
    bus.publish(generation("new", phase=Phase.DROPPED))
    bus.publish(replace(DONE, id="old"))
    assert value(metrics, "rushes_open_generations") == 0
    assert value(metrics, "rushes_unconfirmed") == 0


def test_lateness_is_counted_once(bus: Bus, metrics: Metrics) -> None:
    late = generation(phase=Phase.PROCESSING, late_since=BORN_AT + 180)
    for row in (late, replace(late, progress=0.5), replace(DONE, late_since=BORN_AT + 180)):
        bus.publish(row)
    assert value(metrics, "rushes_late_total") == 1


def test_polls_and_broken_streams_are_counted_from_the_trace(bus: Bus, metrics: Metrics) -> None:
    entries = [
        ("poll", "attempt", ""),
        ("poll", "check", ""),
        ("push", "lost", "silent"),
        ("push", "lost", "?!"),
    ]
    for seq, (lane, event, reason) in enumerate(entries):
        data: dict[str, str | float | int | bool | None] = {"reason": reason}
        bus.publish(
            TraceEntry(
                owner="local", generation_id="g", seq=seq, at=BORN_AT, lane=lane, event=event, data=data
            )
        )
    assert value(metrics, "rushes_poll_attempts_total") == 1
    assert value(metrics, "rushes_stream_breaks_total", reason="silent") == 1
    assert value(metrics, "rushes_stream_breaks_total", reason="other") == 1


def test_unknown_names_do_not_become_labels(bus: Bus, metrics: Metrics) -> None:
    foreign = replace(DONE, id="x", request=replace(DONE.request, backend="made-up"))
    bus.publish(foreign)
    bus.publish(generation("y", phase=Phase.ERROR, error_code="made-up", finished_at=BORN_AT + 1))
    assert value(metrics, "rushes_wins_total", **{**WON, "backend": "other"}) == 1
    assert value(metrics, "rushes_failures_total", code="other") == 1
    assert b"made-up" not in generate_latest(metrics.registry)


def test_a_closed_one_hears_nothing_more(bus: Bus, metrics: Metrics) -> None:
    metrics.close()
    bus.publish(DONE)
    assert value(metrics, "rushes_wins_total", **WON) is None


def test_two_of_them_do_not_mix(bus: Bus, metrics: Metrics) -> None:
    other = Metrics(Bus(), backends=["animatic"])
    metrics.lost("a")
    assert value(metrics, "rushes_lost_total") == 1
    assert value(other, "rushes_lost_total") == 0


@pytest.mark.asyncio
async def test_the_exposition_is_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "rushes_lost_total 0.0" in answer.text
