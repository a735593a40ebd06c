"""Runs that go wrong: whatever fails and whenever, nothing is wrongly deleted, nothing is forgotten, the next run converges."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from controlplane.api import wait_for
from controlplane.proxy import Cut, Fault, FaultProxy
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.cluster import AccessError, ApiError, Client, Limits, UnreachableError, load_access, take_lease
from gitops_guard.errors import ClusterError
from gitops_guard.model.sync import SyncVerdict
from gitops_guard.sync.locking import Stop
from gitops_guard.sync.objects import PART_OF
from gitops_guard.sync.store import FencedError

FEW = Limits(connect_s=5, read_s=20, attempts=3, longest_wait_s=2)


@pytest.fixture
def api(control_plane: ControlPlane) -> Any:
    return control_plane.api(ADMIN)


@pytest.fixture
def shaky(connect: Callable[..., Client], fault_proxy: FaultProxy) -> Client:
    """Return a client that goes through the proxy."""
    return connect(port=fault_proxy.port, limits=FEW)


def names_of(api: Any, namespace: str) -> set[str]:
    listed = api.expect("GET", f"/api/v1/namespaces/{namespace}/configmaps", query={"labelSelector": PART_OF})
    return {one["metadata"]["name"] for one in listed["items"]}


PASSING = [
    pytest.param(Fault(method="PATCH", path="/configmaps/c1", status=503, retry_after_s=0, times=2), id="503"),
    pytest.param(Fault(method="PATCH", path="/configmaps/c1", status=429, retry_after_s=0, times=2, text="Too many requests"), id="429-text"),
    pytest.param(Fault(method="PATCH", path="/configmaps/c1", status=504, times=1), id="504"),
    pytest.param(Fault(method="PATCH", path="/configmaps/c1", cut=Cut.BEFORE), id="cut-before"),
    pytest.param(Fault(method="PATCH", path="/configmaps/c1", cut=Cut.AFTER), id="cut-after-the-server-acted"),
    pytest.param(Fault(method="GET", path="/configmaps\\?.*limit", status=503, retry_after_s=0, times=1), id="list"),
    pytest.param(Fault(method="PATCH", path="/configmaps/gitops-guard-shop", cut=Cut.BEFORE), id="inventory"),
    pytest.param(Fault(method="PATCH", path="/leases/", cut=Cut.BEFORE), id="lease"),
]  # fmt: skip


@pytest.mark.parametrize("fault", PASSING)
def test_sync_when_a_fault_passes_then_it_is_not_noticed(fleet, words, shaky, fault_proxy, api, fault):
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(3)))
    fleet.sync()
    fleet.want(words.config_map(fleet.namespace, "c1", a="2"), words.config_map(fleet.namespace, "c3"))
    fault_proxy.order(fault)

    report = fleet.sync(client=shaky)

    assert SyncVerdict.SYNCED is report.verdict, report
    assert {"c0", "c1", "c2", "c3"} == names_of(api, fleet.namespace)
    assert "synced" == fleet.drift().verdict


LASTING = [
    pytest.param(Fault(method="PATCH", path="/configmaps/c1", status=503, retry_after_s=0, times=None), id="503"),
    pytest.param(Fault(method="PATCH", path="/configmaps/c1", cut=Cut.AFTER, times=None), id="cut-after-the-server-acted"),
    pytest.param(Fault(method="PATCH", path="/configmaps/c3", status=500, times=None), id="new-object"),
    pytest.param(Fault(method="GET", path="/configmaps\\?.*labelSelector", status=503, times=None), id="list"),
    pytest.param(Fault(method="DELETE", path="/configmaps/", status=503, times=None), id="delete"),
    pytest.param(Fault(method="DELETE", path="/configmaps/", cut=Cut.BEFORE, times=None), id="delete-cut"),
    pytest.param(Fault(method="PATCH", path="/configmaps/gitops-guard-shop", status=500, times=None), id="inventory"),
    pytest.param(Fault(method="PATCH", path="/configmaps/gitops-guard-shop", skip=1, status=500, times=None), id="exact-inventory"),
    pytest.param(Fault(method="GET", path="/configmaps/gitops-guard-shop", status=500, times=None), id="parent"),
    pytest.param(Fault(method="GET", path="/leases/", status=500, times=None), id="lease"),
    pytest.param(Fault(method="GET", path="^/apis", status=503, times=None), id="discovery"),
]  # fmt: skip


@pytest.mark.parametrize("fault", LASTING)
def test_sync_when_a_fault_lasts_then_nothing_is_lost_and_the_next_run_converges(
    fleet, words, shaky, fault_proxy, api, fault
):
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(3)))
    fleet.sync()
    fleet.want(words.config_map(fleet.namespace, "c1", a="2"), words.config_map(fleet.namespace, "c3"))
    fleet.drop("ConfigMap", "c2")
    fault_proxy.order(fault)
    is_delete = fault.method == "DELETE" or "skip" in repr(fault) and fault.skip == 1

    try:
        verdict = fleet.sync(client=shaky, prune=True).verdict
    except ClusterError:
        verdict = SyncVerdict.UNAVAILABLE

    assert verdict in (SyncVerdict.UNAVAILABLE, SyncVerdict.FAILED)
    assert is_delete or "c2" in names_of(api, fleet.namespace)  # nothing is pruned in a run that failed before
    known = {key.name for key in fleet.stored().inventory.entries}
    assert names_of(api, fleet.namespace) <= known
    assert SyncVerdict.SYNCED is fleet.sync(prune=True).verdict
    assert {"c0", "c1", "c3"} == names_of(api, fleet.namespace) == {k.name for k in fleet.stored().inventory.entries}


def test_sync_when_the_server_is_away_then_the_error_says_so(fleet, words, shaky, fault_proxy):
    fleet.want(words.config_map(fleet.namespace))

    with fault_proxy.down(), pytest.raises(UnreachableError):
        fleet.sync(client=shaky)


def test_sync_when_the_token_expires_on_the_way_then_nothing_is_pruned(fleet, words, shaky, fault_proxy, api):
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(3)))
    fleet.sync()
    fleet.want(words.config_map(fleet.namespace, "c1", a="2"))
    fleet.drop("ConfigMap", "c2")
    request = fleet.request(prune=True)

    def expire(_outcome: Any) -> None:
        fault_proxy.expire_token(ADMIN)

    from dataclasses import replace

    from gitops_guard.sync.request import Progress
    from gitops_guard.sync.running import sync

    report = sync(shaky, replace(request, progress=Progress(object_done=expire)))

    assert report.verdict in (SyncVerdict.UNAVAILABLE, SyncVerdict.FAILED)
    assert {"c0", "c1", "c2"} == names_of(api, fleet.namespace)
    assert SyncVerdict.LOCKED is fleet.sync().verdict  # its lock could not be given back; it ends by itself


def test_sync_when_the_token_is_refused_at_once_then_the_error_says_so(fleet, words, shaky, fault_proxy):
    fault_proxy.expire_token(ADMIN)
    fleet.want(words.config_map(fleet.namespace))

    with pytest.raises((ApiError, AccessError)):
        fleet.sync(client=shaky)


def test_sync_when_two_run_at_once_then_one_works_and_the_other_leaves(fleet, words, connect):
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(20)))
    barrier, verdicts = threading.Barrier(2), []

    def work(client: Client) -> None:
        barrier.wait()
        verdicts.append(fleet.sync(client=client).verdict)

    threads = [threading.Thread(target=work, args=(connect(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(verdicts) <= {SyncVerdict.SYNCED, SyncVerdict.LOCKED}
    assert SyncVerdict.SYNCED in verdicts
    assert 20 == len(fleet.stored().inventory.entries)


@pytest.mark.parametrize("hours", [-2, 2], ids=["slow", "fast"])
def test_sync_when_our_clock_is_wrong_then_a_live_lock_is_respected_and_a_dead_one_ends(fleet, words, connect, hours):
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(hours=hours)

    fleet.want(words.config_map(fleet.namespace))
    holder = take_lease(connect(), namespace=fleet.namespace, name=fleet.name.parent, holder="somebody", duration_s=2)
    assert SyncVerdict.LOCKED is fleet.sync(now=clock).verdict
    assert holder.holder == "somebody"

    wait_for(lambda: fleet.sync(now=clock).verdict is not SyncVerdict.LOCKED, what="the lease to end", timeout_s=30)
    assert SyncVerdict.SYNCED is fleet.sync(now=clock).verdict


def test_sync_when_another_run_wrote_the_inventory_then_it_is_not_overwritten(fleet, words):
    from gitops_guard.sync.store import Store

    fleet.want(words.config_map(fleet.namespace))
    fleet.sync()
    store = Store(fleet.client, fleet.name)
    before = store.read()
    fleet.want(words.config_map(fleet.namespace, "other"))
    fleet.sync()

    with pytest.raises(FencedError):
        store.write(before, before.inventory, before.inventory.entries)
    assert 2 == len(fleet.stored().inventory.entries)


def test_sync_when_told_to_stop_then_it_ends_gives_the_lock_back_and_prunes_nothing(fleet, words, api):
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(3)))
    fleet.sync()
    fleet.drop("ConfigMap", "c2")
    fleet.want(words.config_map(fleet.namespace, "c1", a="2"))
    stop = Stop()
    stop.now("told to stop by SIGTERM")

    report = fleet.sync(stop=stop, prune=True)

    assert SyncVerdict.INTERRUPTED is report.verdict
    assert {"c0", "c1", "c2"} == names_of(api, fleet.namespace)
    assert SyncVerdict.SYNCED is fleet.sync(prune=True).verdict


def test_sync_when_it_gets_sigterm_then_it_reports_gives_the_lock_back_and_the_next_run_goes_on(
    fleet, words, fault_proxy, control_plane, tmp_path
):
    for number in range(40):
        (tmp_path / f"c{number}.yaml").write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\ndata: {{a: b}}\n"
        )
    fault_proxy.order(Fault(method="PATCH", path="/configmaps/c", delay_s=0.3, times=None))
    line = [
        sys.executable,
        "-m",
        "gitops_guard",
        "sync",
        "--source",
        str(tmp_path),
        "--name",
        "shop",
        "--format",
        "json",
    ]
    target = ["--kubeconfig", str(fault_proxy.kubeconfig()), "--namespace", fleet.namespace]
    with subprocess.Popen([*line, *target], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(
            lambda: any("/configmaps/c1?" in one.target for one in fault_proxy.passed), what="objects", timeout_s=60
        )
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    report = json.loads(out)

    assert (130, "interrupted") == (process.returncode, report["verdict"]), (report["notes"], err)
    assert "told to stop by SIGTERM" in report["notes"]
    assert 0 < report["counts"]["created"] < 40
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}", a="b") for number in range(40)))
    assert SyncVerdict.SYNCED is fleet.sync().verdict


@pytest.mark.parametrize("point", [4, 7, 10, 14, 19])
def test_sync_when_killed_anywhere_then_nothing_leaks_and_the_next_runs_converge(
    fleet, words, fault_proxy, api, control_plane, point
):
    first = [f"c{number}" for number in range(10)]
    api.expect("POST", f"/api/v1/namespaces/{fleet.namespace}/configmaps", {"metadata": {"name": "bystander"}})
    fault_proxy.order(Fault(method="PATCH", delay_s=0.02, times=None))  # so that there is a middle to be killed in
    program = [sys.executable, str(Path(__file__).with_name("killed_run.py"))]
    process = subprocess.Popen([*program, str(fault_proxy.kubeconfig()), fleet.namespace, "prune", "1", *first])
    wait_for(lambda: len(fault_proxy.passed) >= point or process.poll() is not None, what="requests", timeout_s=60)
    process.kill()
    process.wait()
    left = names_of(api, fleet.namespace)
    fleet.want(*(words.config_map(fleet.namespace, name) for name in ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "new")))

    wait_for(lambda: fleet.sync().verdict is not SyncVerdict.LOCKED, what="the lease to end", timeout_s=60)
    fleet.sync(prune=True)
    report = fleet.sync(prune=True)

    assert SyncVerdict.SYNCED is report.verdict, (left, report)
    wanted = {"c1", "c2", "c3", "c4", "c5", "c6", "c7", "new"}
    assert wanted == names_of(api, fleet.namespace) == {key.name for key in fleet.stored().inventory.entries}
    assert 200 == api.request("GET", f"/api/v1/namespaces/{fleet.namespace}/configmaps/bystander").status


def test_sync_when_killed_while_it_changes_and_prunes_then_only_what_left_git_is_gone(
    fleet, words, fault_proxy, api, kill_point
):
    """`--kill-points 50` asks for fifty: after so many of its 23 requests, the fraction is a part of the time of one."""
    space = f"/api/v1/namespaces/{fleet.namespace}/configmaps"
    api.expect("POST", space, {"metadata": {"name": "bystander"}})
    fleet.want(*(words.config_map(fleet.namespace, f"c{number}") for number in range(10)))
    fleet.sync()
    fault_proxy.order(Fault(method="PATCH", delay_s=0.01, times=None), Fault(method="DELETE", delay_s=0.02, times=None))
    kept = [f"c{number}" for number in range(1, 8)]
    program = [sys.executable, str(Path(__file__).with_name("killed_run.py"))]
    arguments = [str(fault_proxy.kubeconfig()), fleet.namespace, "prune", "2", *kept, "new"]
    process = subprocess.Popen([*program, *arguments])
    number = int(kill_point)
    wait_for(lambda: len(fault_proxy.passed) >= number or process.poll() is not None, what="requests", timeout_s=60)
    time.sleep(0.03 * (kill_point - number))
    process.kill()
    process.wait()
    left = names_of(api, fleet.namespace)
    for name in ("c0", "c8", "c9"):
        fleet.drop("ConfigMap", name)
    fleet.want(*(words.config_map(fleet.namespace, name, a="2") for name in (*kept, "new")))

    wait_for(lambda: fleet.sync().verdict is not SyncVerdict.LOCKED, what="the lease to end", timeout_s=60)
    report = fleet.sync(prune=True)

    assert set(kept) <= left
    assert SyncVerdict.SYNCED is report.verdict, (left, report)
    assert {*kept, "new"} == names_of(api, fleet.namespace) == {key.name for key in fleet.stored().inventory.entries}
    assert {"2"} == {api.expect("GET", f"{space}/{name}")["data"]["a"] for name in kept}
    assert 200 == api.request("GET", f"{space}/bystander").status


def test_sync_when_the_server_restarts_on_the_way_then_the_next_run_converges(start_control_plane, words, fleet):
    plane = start_control_plane()
    plane.create_namespace("shop")
    path = plane.kubeconfig(ADMIN)
    with Client(load_access({}, kubeconfig=str(path)), limits=FEW) as client:
        own = type(fleet)(client, "shop")
        own.want(*(words.config_map("shop", f"c{number}") for number in range(150)))
        reports: list[Any] = []

        def work() -> None:
            try:
                reports.append(own.sync(lease_s=1))
            except ClusterError as error:
                reports.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        wait_for(lambda: sum(client.counts.values()) > 40 or not thread.is_alive(), what="the run to be in its middle")
        plane.restart_kube_apiserver()
        thread.join(timeout=100)
        assert not thread.is_alive()
    with Client(load_access({}, kubeconfig=str(path))) as client:
        again = type(fleet)(client, "shop")
        again.bodies = own.bodies
        wait_for(lambda: again.sync().verdict is SyncVerdict.SYNCED, what="the next run", timeout_s=60)
        assert 150 == len(again.stored().inventory.entries)


def test_sync_when_etcd_stands_still_for_a_while_then_the_run_goes_on_after_it(start_control_plane, words, fleet):
    plane = start_control_plane()
    plane.create_namespace("shop")
    with Client(load_access({}, kubeconfig=str(plane.kubeconfig(ADMIN)))) as client:
        own = type(fleet)(client, "shop")
        own.want(*(words.config_map("shop", f"c{number}") for number in range(150)))
        own.sync()
        for number in range(5):
            own.drop("ConfigMap", f"c{number}")
        own.want(*(words.config_map("shop", f"c{number}", a="2") for number in range(5, 150)))
        before = sum(client.counts.values())
        reports: list[Any] = []
        thread = threading.Thread(target=lambda: reports.append(own.sync(prune=True, lease_s=10)))
        thread.start()
        wait_for(lambda: sum(client.counts.values()) - before > 40, what="the run to be in its middle")
        with plane.etcd.frozen():
            time.sleep(3)
            assert thread.is_alive()
        thread.join(timeout=100)

        (report,) = reports
        assert (SyncVerdict.SYNCED, 145, 5) == (report.verdict, report.counts["configured"], report.counts["deleted"])
        assert "synced" == own.drift().verdict


def test_sync_when_an_aggregated_api_is_down_then_only_its_objects_are_blocked(fleet, words, api, connect):
    group = f"{fleet.namespace[-20:].strip('-')}.example.com"
    service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
            "insecureSkipTLSVerify": True, "service": {"name": "nowhere", "namespace": fleet.namespace},
        },
    }  # fmt: skip
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    api.expect("POST", path, service)
    try:
        fleet.want(
            words.config_map(fleet.namespace),
            {"apiVersion": f"{group}/v1", "kind": "Metric", "metadata": {"name": "m", "namespace": fleet.namespace}},
        )
        report = fleet.sync(client=connect())
    finally:
        api.expect("DELETE", f"{path}/v1.{group}")

    assert {"ConfigMap settings": "created", "Metric m": "blocked"} == words.actions(report)
    assert SyncVerdict.FAILED is report.verdict


def test_sync_when_a_webhook_cannot_be_called_then_only_what_it_matches_is_blocked(fleet, words, api):
    name = f"{fleet.namespace}-down"
    hook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": "down.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 1,
                "clientConfig": {"url": "https://127.0.0.1:9/"},
                "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": fleet.namespace}},
            }
        ],
    }  # fmt: skip
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    fleet.want(words.config_map(fleet.namespace, "old"))
    fleet.sync()
    api.expect("POST", path, hook)
    try:
        fleet.drop("ConfigMap", "old")
        fleet.want(words.config_map(fleet.namespace), words.deployment(fleet.namespace))
        wait_for(
            lambda: api.apply(words.deployment(fleet.namespace, "probe"), dry_run=True).status == 500,
            what="the webhook to be known",
        )
        report = fleet.sync(prune=True)
    finally:
        api.expect("DELETE", f"{path}/{name}")

    assert {"ConfigMap old": "skipped", "ConfigMap settings": "created", "Deployment web": "blocked"} == words.actions(
        report
    )
    assert "down.example.com" in next(one.reason for one in report.changes if one.id.kind == "Deployment")
