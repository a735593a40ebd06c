"""The fault proxy does what was ordered, and is invisible otherwise."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from controlplane.api import Api, Body
from controlplane.proxy import Cut, Fault, FaultProxy
from controlplane.server import ADMIN, READER, ControlPlane


@pytest.fixture
def api(fault_proxy: FaultProxy) -> Api:
    return fault_proxy.api(ADMIN)


def config_map(namespace: str, color: str = "blue") -> Body:
    metadata = {"name": "settings", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"color": color}}


def test_proxy_when_nothing_is_ordered_then_answers_are_the_servers(
    control_plane: ControlPlane, api: Api, fault_proxy: FaultProxy, namespace: str
) -> None:
    assert api.apply(config_map(namespace)).status == 201
    path = f"/api/v1/namespaces/{namespace}/configmaps/settings"
    through, direct = api.request("GET", path), control_plane.api(ADMIN).request("GET", path)
    assert direct.body == through.body
    assert direct.headers.keys() == through.headers.keys()
    assert [one.method for one in fault_proxy.passed] == ["GET", "PATCH", "GET"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(Fault(status=429, retry_after_s=1), (429, "1", "TooManyRequests"), id="429 with Retry-After"),
        pytest.param(Fault(status=429, text="Too many requests"), (429, None, ""), id="429 as plain text"),
        pytest.param(Fault(status=500), (500, None, "InternalError"), id="500"),
        pytest.param(Fault(status=503, retry_after_s=5), (503, "5", "ServiceUnavailable"), id="503 with Retry-After"),
        pytest.param(Fault(status=503), (503, None, "ServiceUnavailable"), id="503"),
    ],
)
def test_answer_when_ordered_once_then_the_next_request_passes(
    api: Api, fault_proxy: FaultProxy, fault: Fault, expected: tuple[int, str | None, str]
) -> None:
    fault_proxy.order(fault)
    answer = api.request("GET", "/version")
    assert expected == (answer.status, answer.headers.get("retry-after"), answer.reason)
    assert api.request("GET", "/version").status == 200


def test_fault_when_it_names_requests_then_only_those_are_hit(api: Api, fault_proxy: FaultProxy) -> None:
    fault_proxy.order(Fault(method="GET", path="^/api/v1/nodes", skip=1, times=2, status=503))
    asked = ["/api/v1/nodes", "/version", "/api/v1/nodes", "/api/v1/nodes", "/api/v1/nodes"]
    assert [api.request("GET", path).status for path in asked] == [200, 200, 503, 503, 200]


def test_delay_when_ordered_then_the_answer_takes_that_long(api: Api, fault_proxy: FaultProxy) -> None:
    fault_proxy.order(Fault(delay_s=0.3))
    started = time.monotonic()
    assert api.request("GET", "/version").status == 200
    assert time.monotonic() - started >= 0.3


def test_delay_when_longer_than_the_clients_patience_then_it_times_out(fault_proxy: FaultProxy) -> None:
    fault_proxy.order(Fault(delay_s=0.5))
    with pytest.raises(TimeoutError):
        fault_proxy.api(timeout_s=0.1).request("GET", "/version")


@pytest.mark.parametrize(
    ("cut", "written"),
    [
        pytest.param(Cut.BEFORE, 404, id="before"),
        pytest.param(Cut.AFTER, 200, id="after"),
        pytest.param(Cut.MIDDLE, 200, id="middle"),
    ],
)
def test_cut_when_ordered_then_the_client_gets_no_answer_and_the_server_acted_or_not(
    control_plane: ControlPlane, fault_proxy: FaultProxy, namespace: str, cut: Cut, written: int
) -> None:
    body = config_map(namespace)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    fault_proxy.order(Fault(method="POST", cut=cut))
    with pytest.raises((OSError, http.client.HTTPException)):
        fault_proxy.api().request("POST", path, body)
    assert written == control_plane.api().request("GET", f"{path}/settings").status


def test_watch_when_it_is_to_end_after_an_event_then_the_reader_fails_after_that(
    api: Api, control_plane: ControlPlane, fault_proxy: FaultProxy, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    since = api.expect("GET", path)["metadata"]["resourceVersion"]
    fault_proxy.order(Fault(path="watch=1", watch_events=1))
    with api.watch(path, since=since) as events:
        control_plane.api().apply(config_map(namespace))
        assert next(events)["type"] == "ADDED"
        with pytest.raises((OSError, http.client.HTTPException)):
            next(events)


def test_watches_when_dropped_then_the_reader_fails_at_once(api: Api, fault_proxy: FaultProxy, namespace: str) -> None:
    with api.watch(f"/api/v1/namespaces/{namespace}/configmaps") as events:
        started = time.monotonic()
        assert fault_proxy.drop_watches() == 1
        with pytest.raises((OSError, http.client.HTTPException)):
            next(events)
    assert time.monotonic() - started < 5


def test_token_when_expired_then_the_server_answers_401_to_that_user_only(fault_proxy: FaultProxy) -> None:
    admin, reader = fault_proxy.api(ADMIN), fault_proxy.api(READER)
    fault_proxy.expire_token(ADMIN)
    refused = admin.request("GET", "/version")
    assert (refused.status, refused.reason) == (401, "Unauthorized")
    assert reader.request("GET", "/version").status == 200
    fault_proxy.clear()
    assert admin.request("GET", "/version").status == 200


def test_server_when_down_then_connections_are_refused_until_it_is_back(api: Api, fault_proxy: FaultProxy) -> None:
    assert api.request("GET", "/version").status == 200
    with fault_proxy.down(), pytest.raises(OSError):
        fault_proxy.api().request("GET", "/version")
    assert api.request("GET", "/version").status == 200


def test_kubectl_when_it_goes_through_the_proxy_then_it_works_and_sees_faults(
    fault_proxy: FaultProxy, kubectl: Path, namespace: str, tmp_path: Path
) -> None:
    def run() -> Any:
        command: list[str | Path] = [kubectl, f"--kubeconfig={fault_proxy.kubeconfig()}", f"--cache-dir={tmp_path}"]
        return subprocess.run([*command, "get", "namespace", namespace, "-o", "json"], capture_output=True, text=True)

    assert namespace == json.loads(run().stdout)["metadata"]["name"]
    fault_proxy.order(Fault(path=f"/namespaces/{namespace}", times=None, status=500))
    assert "ordered by a test: 500" in run().stderr
