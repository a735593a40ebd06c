"""Nothing is ever written: the audit log of a real API server knows only reads and dry-runs of a preview."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from controlplane.proxy import Fault, FaultProxy
from controlplane.server import ControlPlane

from gitops_guard.cluster import Client
from gitops_guard.live import LiveOptions, Target, preview_all
from gitops_guard.model.live import ClusterPreview, Preview

Body = dict[str, Any]
Make = Callable[..., Body]
AGENT = "gitops-guard-audited"
READS = {"get", "list", "watch"}


def test_requests_when_everything_is_previewed_then_all_are_reads_or_dry_runs(
    control_plane: ControlPlane, client: Client, namespace: str, deployment: Make, config_map: Make, resource_of: Any
) -> None:
    live = [
        deployment(namespace, minReadySeconds=3),
        deployment(namespace, "stuck"),
        config_map(namespace, "same", a="b"),
        config_map(namespace, "changed", a="b"),
        config_map(namespace, "removed", a="b"),
    ]
    for body in live:
        body["metadata"]["labels"] = {"applyset.kubernetes.io/part-of": f"audit-{namespace}"[:50]}
        client.create(body, manager="kubectl-client-side-apply")
    client.apply(config_map(namespace, "changed", a="z"), manager="somebody", force=True)
    head = [
        deployment(namespace),  # a field is dropped: a JSON patch
        deployment(namespace, "stuck", selector={"matchLabels": {"app": "x"}}),  # immutable: also a create
        config_map(namespace, "same", a="b"),
        config_map(namespace, "changed", a="c"),  # a conflict: forced as well
        config_map(namespace, "new"),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{namespace}-x"}},
        config_map(f"{namespace}-x"),
    ]
    sides = [tuple(map(resource_of, bodies)) for bodies in (live, head)]
    target = Target(name="here", context="test", base=sides[0], head=sides[1], options=LiveOptions())
    environment = {"KUBECONFIG": str(control_plane.kubeconfig())}
    (told,) = preview_all([target], environment, user_agent=AGENT)
    assert not told.error
    assert {Preview.REFUSED, Preview.NOT_DRY_RUN} <= {one.preview for one in told.objects}
    events = [event for event in control_plane.audit_events() if event.get("userAgent") == AGENT]
    verbs = {event["verb"] for event in events}
    assert {"get", "list", "patch", "create"} <= verbs
    writes = [event for event in events if event["verb"] not in READS]
    queries = [parse_qs(urlsplit(event["requestURI"]).query) for event in writes]
    assert queries
    assert [["All"]] * len(queries) == [query.get("dryRun") for query in queries]
    assert verbs <= {*READS, "patch", "create"}
    assert told.dry_runs <= len(writes)  # more only if a connection was lost


def test_clusters_when_one_cannot_be_reached_then_the_others_are_told(
    control_plane: ControlPlane,
    fault_proxy: FaultProxy,
    namespace: str,
    config_map: Make,
    resource_of: Any,
    tmp_path: Path,
) -> None:
    config = tmp_path / "gone"
    config.write_text(
        control_plane.kubeconfig().read_text().replace('"test"', '"gone"').replace(str(control_plane.port), "1")
    )
    environment = {"KUBECONFIG": os.pathsep.join([str(control_plane.kubeconfig()), str(config)])}
    head = (resource_of(config_map(namespace)),)
    targets = [
        Target(name=name, context=context, base=(), head=head, options=LiveOptions())
        for name, context in (("b", "test"), ("a", "gone"), ("c", "never-heard-of"))
    ]
    told: tuple[ClusterPreview, ...] = preview_all(targets, environment)
    assert ["a", "b", "c"] == [one.cluster for one in told]
    assert "cluster gone cannot be reached: Connection refused" in told[0].error
    assert [change.id.name for change in told[1].effect] == ["settings"]
    assert "no context 'never-heard-of'" in told[2].error


def test_cluster_when_it_is_overloaded_then_the_preview_waits_for_it(
    fault_proxy: FaultProxy, connect: Callable[..., Client], namespace: str, config_map: Make, ask: Any
) -> None:
    fault_proxy.order(
        Fault(method="PATCH", status=429, retry_after_s=0, times=2), Fault(method="GET", status=503, retry_after_s=0)
    )
    told = ask([], [config_map(namespace)], by=connect(port=fault_proxy.port))
    assert (told.objects, [change.id.name for change in told.effect]) == ((), ["settings"])
