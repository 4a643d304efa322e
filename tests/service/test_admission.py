"""How many requests may be inside."""

from __future__ import annotations

import pytest

from service.admission import Admission
from service.errors import Overloaded
from service.metrics import Metrics


def test_places_are_given_and_given_back() -> None:
    gauge = Metrics().in_flight
    admission = Admission(2, gauge)
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
