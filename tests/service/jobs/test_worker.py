"""A real service and real worker processes: jobs end once, however often a worker dies."""

from __future__ import annotations

from typing import Any

from tests.service.jobs.conftest import House, Worker

STEPS = 3


def test_a_job_becomes_a_version_that_can_serve(house: House, worker: Worker, voices: Any) -> None:
    job_id = house.submit(*voices[0].enrol, *voices[1].enrol, steps=STEPS)
    shown = house.wait_over(job_id)
    assert shown["state"] == "succeeded", shown
