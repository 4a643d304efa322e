"""Budgets of clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import rates
from service.errors import Overloaded
from service.rates import Rate
from tests.service.conftest import StartService


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("service.rates.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_budget_is_refilled_steadily(clock: Clock) -> None:
    rate = Rate(60, "requests", "SETTING")
    for _ in range(60):
        rate.require("ann", 1)
        rate.charge("ann", 1)
    with pytest.raises(Overloaded, match="SETTING") as refused:
        rate.require("ann", 1)
    assert refused.value.retry_after_s == 1
    rate.require("bob", 1)
    clock.now += 1
    rate.require("ann", 1)
    rate.charge("ann", 1)
    clock.now += 1000  # never more than a minute's budget
    for _ in range(60):
        rate.charge("ann", 1)
    with pytest.raises(Overloaded):
        rate.require("ann", 1)


def test_what_was_overdrawn_is_waited_for(clock: Clock) -> None:
    rate = Rate(60, "seconds of audio", "SETTING")
    rate.require("ann")
    rate.charge("ann", 180)  # known only afterwards
    with pytest.raises(Overloaded) as refused:
        rate.require("ann")
    assert refused.value.retry_after_s == 121
    clock.now += refused.value.retry_after_s
    rate.require("ann")


def test_no_limit_and_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    off = Rate(0, "requests", "SETTING")
    off.charge("ann", 10**9)
    off.require("ann", 1)
    monkeypatch.setattr(rates, "_MOST_CLIENTS", 10)
    rate = Rate(1, "requests", "SETTING")
    for number in range(100):
        rate.charge(str(number), 1)
    assert len(rate._budgets) == 10


def test_a_client_has_a_rate_and_others_are_not_held_up(
    start_service: StartService, tiny_models: Path, speech: bytes
) -> None:
    keys = ("first-key-0123456789", "second-key-0123456789")
    service = start_service(
        tiny_models, api_keys=",".join(keys), requests_per_minute=5, audio_seconds_per_minute=1
    )
    first, second = ({"Authorization": f"Bearer {key}"} for key in keys)
    audio = {"content": speech, "headers": {"Content-Type": "audio/ogg"} | first}
    with service.client() as http:
        assert http.post("/embed", **audio).status_code == 200
        over = http.post("/embed", **audio)  # more than a second of audio was sent
        assert (over.status_code, over.json()["code"]) == (429, "overloaded")
        assert "TWOFOLD_AUDIO_SECONDS_PER_MINUTE" in over.json()["detail"]
        statuses = [http.get("/models", headers=first).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        over = http.get("/models", headers=first)
        assert int(over.headers["retry-after"]) <= 12
        assert http.get("/models", headers=second).status_code == 200
        assert http.get("/healthz").status_code == 200
    service.stop()
