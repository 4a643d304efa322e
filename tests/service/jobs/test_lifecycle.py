"""The rules of a job's life, without any store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from service.errors import Conflict
from service.jobs import Activation, Job, lifecycle
from service.jobs.lifecycle import LeaseLost, NotClaimable
from tests.service.jobs.test_store import NOW, new_job

LATER = NOW + timedelta(seconds=31)
REPORT = {"verdict": "better"}


def claim(job: Job, owner: str = "w1", now: object = NOW, most_attempts: int = 3) -> Job:
    return lifecycle.claim(job, owner, now, lease_s=30, most_attempts=most_attempts)  # type: ignore[arg-type]


def renew(job: Job, token: int, step: int = 5) -> Job:
    return lifecycle.renew(job, token, LATER, lease_s=30, step=step, loss=0.5, eta_s=9.0)


def test_a_claim_is_good_for_one_worker_until_its_lease_runs_out() -> None:
    job = claim(new_job())
    assert (job.state, job.attempts, job.token, job.lease_owner) == ("running", 1, 1, "w1")
    with pytest.raises(NotClaimable):
        claim(job, "w2")
    taken = claim(job, "w2", LATER)
    assert (taken.attempts, taken.token, taken.lease_owner) == (2, 2, "w2")
    assert taken.started_at == NOW


def test_a_clock_that_is_set_back_holds_no_job() -> None:
    yesterday = NOW - timedelta(days=1)
    assert claim(claim(new_job()), "w2", yesterday).lease_owner == "w2"
    assert lifecycle.abandoned(lifecycle.message_sent(new_job(), NOW), yesterday, patience_s=60)


ENDINGS: list[Callable[[Job, int], Job]] = [
    lambda job, token: renew(job, token),
    lambda job, token: lifecycle.succeed(job, token, LATER, REPORT, better=True),
    lambda job, token: lifecycle.fail(job, token, LATER, "why"),
    lambda job, token: lifecycle.release(job, token),
]


@pytest.mark.parametrize("write", ENDINGS)
def test_whoever_lost_the_lease_writes_nothing(write: Callable[[Job, int], Job]) -> None:
    first = claim(new_job())
    second = claim(first, "w2", LATER)
    with pytest.raises(LeaseLost):
        write(second, first.token)
    write(second, second.token)
    for over in (
        lifecycle.succeed(second, second.token, LATER, REPORT, better=False),
        lifecycle.release(second, second.token),
        lifecycle.cancel(claim(new_job()), LATER),
    ):
        with pytest.raises(LeaseLost):
            write(over, second.token)


def test_a_lease_that_ran_out_unclaimed_may_be_held_on_to() -> None:
    job = claim(new_job())
    held = renew(job, job.token)
    assert held.leased(LATER)
    assert (held.step, held.loss, held.eta_s) == (5, 0.5, 9.0)
    assert renew(held, job.token, step=3).step == 5  # it never goes back


def test_a_job_that_kills_its_workers_fails() -> None:
    job = new_job()
    for attempt in range(2):
        job = claim(job, now=NOW + attempt * timedelta(minutes=1), most_attempts=2)
    failed = claim(job, now=NOW + timedelta(hours=1), most_attempts=2)
    assert (failed.state, failed.over, failed.settled) == ("failed", True, True)
    assert failed.error is not None
    assert "2 attempts" in failed.error


def test_a_worker_that_shuts_down_costs_no_attempt() -> None:
    job = claim(new_job())
    released = lifecycle.release(renew(job, job.token), job.token)
    assert (released.state, released.attempts, released.step) == ("queued", 0, 5)
    assert lifecycle.abandoned(released, NOW, patience_s=5)
    assert claim(released, "w2").token > job.token


def test_cancel_ends_what_nobody_works_on_and_tells_who_does() -> None:
    queued = lifecycle.cancel(new_job(), NOW)
    assert (queued.state, queued.finished_at) == ("canceled", NOW)
    told = lifecycle.cancel(claim(new_job()), NOW)
    assert (told.state, told.cancel_requested) == ("running", True)
    assert renew(told, told.token).state == "canceled"
    assert lifecycle.cancel(told, LATER).state == "canceled"  # its worker is dead
    assert claim(told, "w2", LATER).state == "canceled"
    for over in (queued, lifecycle.fail(told, told.token, NOW, "why")):
        with pytest.raises(Conflict, match=over.state):
            lifecycle.cancel(over, NOW)
        with pytest.raises(NotClaimable):
            claim(over, "w2", LATER)


def test_activation_is_asked_for_where_the_version_is_better() -> None:
    job = claim(new_job())
    better = lifecycle.succeed(job, job.token, NOW, REPORT, better=True)
    assert (better.state, better.step, better.settled) == ("succeeded", 50, False)
    worse = lifecycle.succeed(job, job.token, NOW, REPORT, better=False)
    assert worse.settled
    assert worse.activation is not None
    assert worse.activation.state == "declined"
    plain = claim(new_job(activate="never"))
    assert lifecycle.succeed(plain, plain.token, NOW, REPORT, better=True).activation is None

    taken = lifecycle.take_activation(better, "api1", NOW, lease_s=30)
    with pytest.raises(NotClaimable):
        lifecycle.take_activation(taken, "api2", NOW, lease_s=30)
    assert lifecycle.take_activation(taken, "api2", LATER, lease_s=30).lease_owner == "api2"
    settled = lifecycle.settle(taken, Activation(state="active", reason=""))
    assert settled.settled
    for job in (settled, worse, new_job(), claim(new_job())):
        with pytest.raises(NotClaimable):
            lifecycle.take_activation(job, "api2", LATER, lease_s=30)


def test_abandoned_is_who_waits_without_a_message() -> None:
    sent = lifecycle.message_sent(new_job(), NOW)
    assert not lifecycle.abandoned(sent, NOW + timedelta(seconds=4), patience_s=5)
    assert lifecycle.abandoned(sent, NOW + timedelta(seconds=6), patience_s=5)
    held = claim(sent)
    assert not lifecycle.abandoned(held, NOW + timedelta(seconds=6), patience_s=5)
    assert lifecycle.abandoned(held, LATER, patience_s=5)
    assert not lifecycle.abandoned(lifecycle.cancel(sent, NOW), LATER, patience_s=5)
