"""Leases on a real server: one holder at a time, by the server's clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from controlplane.api import wait_for

from gitops_guard.cluster import (
    Client,
    Lease,
    LeaseHeldError,
    give_back_lease,
    in_parallel,
    renew_lease,
    take_lease,
)


@pytest.fixture
def take(client: Client, namespace: str) -> Callable[..., Lease]:
    def make(holder: str, duration_s: int = 60) -> Lease:
        return take_lease(client, namespace=namespace, name="run", holder=holder, duration_s=duration_s)

    return make


def test_lease_when_it_is_held_then_another_run_is_told_by_whom(take: Callable[..., Lease], namespace: str) -> None:
    take("first")
    with pytest.raises(LeaseHeldError, match=f"lease {namespace}/run is held by first"):
        take("second")


def test_lease_when_it_is_given_back_then_the_next_one_has_it_at_once(
    client: Client, take: Callable[..., Lease]
) -> None:
    lease = take("first")
    give_back_lease(client, lease)
    assert take("second").holder == "second"
    with pytest.raises(LeaseHeldError):
        renew_lease(client, lease)
    give_back_lease(client, lease)  # not ours any more: left alone
    with pytest.raises(LeaseHeldError, match="second"):
        take("third")


def test_lease_when_its_holder_renews_it_then_it_stays(client: Client, take: Callable[..., Lease]) -> None:
    assert renew_lease(client, take("first")).holder == "first"
    assert take("first").holder == "first"


def test_lease_when_its_time_is_up_then_another_run_takes_it(take: Callable[..., Lease]) -> None:
    take("first", duration_s=1)

    def taken() -> Lease | None:
        try:
            return take("second")
        except LeaseHeldError:
            return None

    assert wait_for(taken, what="the lease to end").holder == "second"


def test_lease_when_many_try_at_once_then_one_has_it(client: Client, namespace: str) -> None:
    def attempt(number: int) -> str:
        try:
            return take_lease(client, namespace=namespace, name="run", holder=f"run-{number}").holder
        except LeaseHeldError:
            return ""

    holders = [holder for holder in in_parallel(attempt, range(8)) if holder]
    assert len(holders) == 1


def test_lease_when_somebody_else_wrote_it_then_nothing_is_given_back(
    client: Client, take: Callable[..., Lease]
) -> None:
    stale = dataclasses.replace(take("first"), resource_version="1")
    give_back_lease(client, stale)
    with pytest.raises(LeaseHeldError, match="first"):
        take("second")
