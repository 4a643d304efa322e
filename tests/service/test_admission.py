"""How many requests may be inside."""

from __future__ import annotations

import pytest

from service.admission import Admission
from service.errors import Overloaded
from service.metrics import Metrics


def test_places_are_given_and_given_back() -> None:
    gauge = Metrics().in_flight
    admission = Admission(2, 100, gauge)
    with admission.admit(), admission.admit():
        with pytest.raises(Overloaded) as refused, admission.admit():
            pass
        assert refused.value.retry_after_s == 1
    with admission.admit():
        pass
    with pytest.raises(RuntimeError), admission.admit():
        raise RuntimeError
    with admission.admit(), admission.admit():
        pass


def test_bytes_are_held_and_given_back() -> None:
    admission = Admission(2, 100, Metrics().in_flight)
    with admission.admit() as first, admission.admit() as second:
        first.hold(60)
        second.hold(40)
        with pytest.raises(Overloaded):
            second.hold(1)
    with admission.admit() as alone:
        alone.hold(100)
