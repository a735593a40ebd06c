"""Every answer of the reference's table in every phase of a run: whatever comes, nothing is wrongly deleted or forgotten.

A sample in the suite; all of them with `--whole-fault-matrix`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from controlplane.api import wait_for
from controlplane.proxy import Cut, Fault, FaultProxy
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.cluster import Client, Limits
from gitops_guard.errors import ClusterError, SyncError
from gitops_guard.model.sync import SyncVerdict
from gitops_guard.sync.objects import PART_OF

FEW = Limits(connect_s=5, read_s=20, attempts=2, longest_wait_s=1)

PHASES = {
    "discovery": Fault(method="GET", path="^/apis$"),
    "lock": Fault(method="GET", path="/leases/"),
    "taking the lock": Fault(method="PATCH", path="/leases/"),
    "parent": Fault(method="GET", path="/configmaps/gitops-guard-shop"),
    "scan": Fault(method="GET", path="/configmaps\\?.*labelSelector"),
    "look at a suspect": Fault(method="GET", path="/configmaps/c0"),
    "dry-run of a suspect": Fault(method="PATCH", path="/configmaps/c0\\?.*dryRun"),
    "superset inventory": Fault(method="PATCH", path="/configmaps/gitops-guard-shop"),
    "change": Fault(method="PATCH", path="/configmaps/c1"),
    "creation": Fault(method="PATCH", path="/configmaps/c3"),
    "deletion": Fault(method="DELETE", path="/configmaps/"),
    "exact inventory": Fault(method="PATCH", path="/configmaps/gitops-guard-shop", skip=1),
}
LATE = ("deletion", "exact inventory")
"""Phases that come when all was applied: what left Git may be gone."""

ANSWERS: dict[str, dict[str, Any]] = {
    "400": {"status": 400},
    "401": {"status": 401},
    "403": {"status": 403},
    "404": {"status": 404},
    "404 text": {"status": 404, "text": "404 page not found"},
    "405": {"status": 405},
    "409": {"status": 409},
    "410": {"status": 410},
    "413": {"status": 413},
    "422": {"status": 422},
    "429": {"status": 429, "retry_after_s": 0},
    "429 text": {"status": 429, "retry_after_s": 0, "text": "Too many requests"},
    "500": {"status": 500},
    "503": {"status": 503, "retry_after_s": 0},
    "504": {"status": 504},
    "cut before": {"cut": Cut.BEFORE},
    "cut after": {"cut": Cut.AFTER},
}
UNSOLVABLE = {("parent", "404"), ("scan", "404"), ("deletion", "404")}
"""A server that says in its own words that something is not there while it is: nobody can tell."""


def names_of(api: Any, namespace: str) -> set[str]:
    listed = api.expect("GET", f"/api/v1/namespaces/{namespace}/configmaps", query={"labelSelector": PART_OF})
    return {one["metadata"]["name"] for one in listed["items"]}


@pytest.fixture
def shaky(connect: Callable[..., Client], fault_proxy: FaultProxy) -> Client:
    """Return a client that goes through the proxy."""
    return connect(port=fault_proxy.port, limits=FEW)


def test_sync_when_any_answer_comes_in_any_phase_then_nothing_is_wrongly_deleted_or_forgotten(
    fleet: Any, words: Any, shaky: Client, fault_proxy: FaultProxy, control_plane: ControlPlane, phase: str, answer: str
) -> None:
    api = control_plane.api(ADMIN)
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(3)))
    fleet.sync()
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/c0"
    headers = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", path, {"data": {"a": "9"}}, query={"fieldManager": "kubectl-edit"}, headers=headers)
    fleet.want(words.config_map(fleet.namespace, "c1", a="2"), words.config_map(fleet.namespace, "c3"))
    fleet.drop("ConfigMap", "c2")
    fault_proxy.order(replace(PHASES[phase], times=None, **ANSWERS[answer]))

    try:
        verdict = fleet.sync(client=shaky, prune=True, lease_s=1).verdict
    except (ClusterError, SyncError):
        verdict = SyncVerdict.UNAVAILABLE

    left = names_of(api, fleet.namespace)
    known = {key.name for key in fleet.stored().inventory.entries}
    assert {"c0", "c1"} <= left <= {"c0", "c1", "c2", "c3"}
    assert "c2" in left or phase in LATE or verdict is SyncVerdict.SYNCED
    assert left <= known or (phase, answer) in UNSOLVABLE
    if verdict in (SyncVerdict.SYNCED, SyncVerdict.GUARDED):
        assert {"c0", "c1", "c3"} <= left
        assert {"1", "2"} == {api.expect("GET", path.replace("c0", name))["data"]["a"] for name in ("c0", "c1")}
    if (phase, answer) == ("taking the lock", "cut after"):  # it is held, and nobody knows: it ends by itself
        wait_for(lambda: fleet.sync().verdict is not SyncVerdict.LOCKED, what="the lease to end")
    assert fleet.sync(prune=True).verdict in (SyncVerdict.SYNCED, SyncVerdict.GUARDED)
    assert SyncVerdict.SYNCED is fleet.sync(prune=True).verdict
    assert {"c0", "c1", "c3"} == names_of(api, fleet.namespace) - ({"c2"} if (phase, answer) in UNSOLVABLE else set())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rows = [(phase, answer) for phase in PHASES for answer in ANSWERS]
    chosen = rows if metafunc.config.getoption("--whole-fault-matrix") else rows[::19]
    if "phase" in metafunc.fixturenames:
        metafunc.parametrize(("phase", "answer"), chosen, ids=[f"{phase}-{answer}" for phase, answer in chosen])
