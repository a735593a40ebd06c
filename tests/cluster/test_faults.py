"""What the client does when the way to a real server is bad: what is sent again, what never, and what is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from controlplane.api import wait_for
from controlplane.proxy import Cut, Fault, FaultProxy
from controlplane.server import NAMESPACED, ControlPlane

from gitops_guard.cluster import AccessError, ApiError, Client, ErrorClass, Limits, UnreachableError, load_access
from gitops_guard.model import ResourceId

Make = Callable[..., dict[str, Any]]
Connect = Callable[..., Client]


def config_map_id(namespace: str, name: str = "settings") -> ResourceId:
    return ResourceId(group="", version="v1", kind="ConfigMap", namespace=namespace, name=name)


def sent(proxy: FaultProxy, method: str, count: int, status: int | None = None) -> list[int]:
    """Return the answers, once there are as many: the proxy notes each after the client has it."""

    def found() -> list[int]:
        return [one.status for one in list(proxy.passed) if one.method == method and status in (None, one.status)]

    return wait_for(lambda: found() if len(found()) >= count else None, what=f"{count} x {method}")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(method="PATCH", status=503, retry_after_s=0), id="503"),
        pytest.param(Fault(method="PATCH", status=429, retry_after_s=0, text="Too many requests"), id="429 as text"),
        pytest.param(Fault(method="PATCH", status=504), id="504"),
        pytest.param(Fault(method="PATCH", cut=Cut.BEFORE), id="cut before"),
        pytest.param(Fault(method="PATCH", cut=Cut.AFTER), id="cut after"),
        pytest.param(Fault(method="PATCH", cut=Cut.MIDDLE), id="cut in the answer"),
    ],
)
def test_apply_when_it_fails_once_then_it_is_sent_again(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str, config_map: Make, fault: Fault
) -> None:
    fault_proxy.order(fault)
    assert through_proxy.apply(config_map(namespace, a="b"), manager="m").body["data"] == {"a": "b"}
    assert len(sent(fault_proxy, "PATCH", 2)) == 2


@pytest.mark.parametrize("cut", list(Cut))
def test_create_when_the_connection_is_lost_then_it_is_not_sent_again(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str, config_map: Make, cut: Cut
) -> None:
    fault_proxy.order(Fault(method="POST", cut=cut))
    with pytest.raises(UnreachableError, match=r"cluster test cannot be reached: .*POST"):
        through_proxy.create(config_map(namespace), manager="m")
    assert len(sent(fault_proxy, "POST", 1)) == 1


def test_create_when_it_was_turned_away_then_it_is_sent_again(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str, config_map: Make
) -> None:
    fault_proxy.order(Fault(method="POST", status=429, times=2))
    assert through_proxy.create(config_map(namespace), manager="m").created
    assert sent(fault_proxy, "POST", 3) == [429, 429, 201]


@pytest.mark.parametrize(
    ("options", "expected"), [pytest.param(True, 2, id="with uid"), pytest.param(False, 1, id="without")]
)
def test_delete_when_the_connection_is_lost_then_only_the_uid_allows_a_second(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str, config_map: Make, options: bool, expected: int
) -> None:
    uid = through_proxy.apply(config_map(namespace), manager="m").body["metadata"]["uid"]
    fault_proxy.order(Fault(method="DELETE", cut=Cut.BEFORE))
    if options:
        through_proxy.delete(config_map_id(namespace), uid=uid)
    else:
        with pytest.raises(UnreachableError):
            through_proxy.delete(config_map_id(namespace))
    assert len(sent(fault_proxy, "DELETE", expected)) == expected


def test_server_when_it_stays_overloaded_then_the_last_answer_is_raised_and_the_limit_falls(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str
) -> None:
    through_proxy.resources()
    limit = through_proxy.limiter.limit
    fault_proxy.order(Fault(method="GET", status=503, retry_after_s=0, times=None))
    with pytest.raises(ApiError) as caught:
        through_proxy.get(config_map_id(namespace))
    assert (ErrorClass.OVERLOADED, 503) == (caught.value.error_class, caught.value.status)
    assert len(sent(fault_proxy, "GET", 4, 503)) == 4
    assert through_proxy.limiter.limit == max(1, limit // 8)


def test_server_when_it_asks_to_wait_too_long_then_it_is_not_waited_for(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str
) -> None:
    through_proxy.resources()
    fault_proxy.order(Fault(method="GET", status=503, retry_after_s=999_999))
    with pytest.raises(ApiError) as caught:
        through_proxy.get(config_map_id(namespace))
    assert caught.value.retry_after_s == 999_999


def test_retries_when_all_are_used_up_then_there_are_no_more(
    connect: Connect, fault_proxy: FaultProxy, namespace: str
) -> None:
    client = connect(port=fault_proxy.port, limits=Limits(retries=1))
    client.resources()
    fault_proxy.order(Fault(method="GET", status=500, times=None))
    for _ in range(2):
        with pytest.raises(ApiError):
            client.get(config_map_id(namespace))
    assert len(sent(fault_proxy, "GET", 3, 500)) == 3


def test_server_when_it_is_down_then_unreachable_and_afterwards_not(connect: Connect, fault_proxy: FaultProxy) -> None:
    client = connect(port=fault_proxy.port, limits=Limits(attempts=1))
    with fault_proxy.down(), pytest.raises(UnreachableError, match="Connection refused"):
        client.version()
    assert client.version()


def test_server_when_it_does_not_answer_then_the_time_is_up(connect: Connect, fault_proxy: FaultProxy) -> None:
    client = connect(port=fault_proxy.port, limits=Limits(read_s=0.2, attempts=1))
    fault_proxy.order(Fault(path="/version", delay_s=1.0))
    with pytest.raises(UnreachableError, match="no answer in time"):
        client.version()


def test_connection_when_the_server_closed_it_then_a_new_one_is_made(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str, config_map: Make
) -> None:
    assert through_proxy.version()
    through_proxy.resources()
    with fault_proxy.down():
        pass  # resets what is open
    # a POST is never sent twice, so it must not be sent on a dead connection
    assert through_proxy.create(config_map(namespace), manager="m").created


def test_list_when_a_token_expires_between_pages_then_it_begins_anew(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str, config_map: Make
) -> None:
    for name in ("a", "b"):
        through_proxy.apply(config_map(namespace, name), manager="m")
    resource = through_proxy.resource_of(config_map_id(namespace))
    fault_proxy.order(Fault(path="continue=", status=410))
    listed = through_proxy.list(resource, namespace=namespace, page=1)
    assert ["a", "b"] == [item["metadata"]["name"] for item in listed.items]


def test_missing_right_when_the_connection_was_just_lost_then_it_is_asked_again(
    connect: Connect, control_plane: ControlPlane, fault_proxy: FaultProxy, namespace: str
) -> None:
    client = connect(NAMESPACED, port=fault_proxy.port)
    client.resources()
    fault_proxy.order(Fault(method="GET", path="configmaps", cut=Cut.BEFORE))
    with pytest.raises(ApiError) as caught:
        client.get(config_map_id(namespace))
    assert caught.value.error_class is ErrorClass.UNSETTLED
    assert len(sent(fault_proxy, "GET", 3, 403)) == 3


def test_token_when_it_has_expired_then_it_is_refused_and_not_shown(
    through_proxy: Client, fault_proxy: FaultProxy, control_plane: ControlPlane, namespace: str
) -> None:
    through_proxy.resources()
    fault_proxy.expire_token()
    with pytest.raises(ApiError) as caught:
        through_proxy.get(config_map_id(namespace))
    assert (ErrorClass.UNAUTHENTICATED, 401) == (caught.value.error_class, caught.value.status)
    assert control_plane.credentials("admin").token not in repr(caught.value)
    assert len(sent(fault_proxy, "GET", 1, 401)) == 1


def test_token_file_when_the_token_was_replaced_then_the_next_one_is_taken(
    fault_proxy: FaultProxy, control_plane: ControlPlane, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("old-token")
    path = _kubeconfig(tmp_path, fault_proxy, control_plane, {"tokenFile": "token"})
    with Client(load_access({}, kubeconfig=str(path))) as client:
        with pytest.raises(ApiError):
            client.version()
        (tmp_path / "token").write_text(control_plane.credentials("admin").token)
        assert client.version()


def test_plugin_when_its_token_is_refused_then_it_is_asked_once_more(
    fault_proxy: FaultProxy, control_plane: ControlPlane, tmp_path: Path
) -> None:
    token = control_plane.credentials("admin").token
    script = tmp_path / "plugin"
    told = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}'
    script.write_text(
        f"#!/bin/sh\nif [ -e {tmp_path}/ran ]; then echo '{told % token}'; else echo '{told % 'old'}'; fi\n"
        f"touch {tmp_path}/ran\n"
    )
    script.chmod(0o755)
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "interactiveMode": "Never"}
    path = _kubeconfig(tmp_path, fault_proxy, control_plane, {"exec": plugin})
    with Client(load_access({"PATH": os.defpath}, kubeconfig=str(path))) as client:
        assert client.version()
    assert sent(fault_proxy, "GET", 2) == [401, 200]


def test_user_when_it_is_nobody_then_its_rights_are_missing(
    fault_proxy: FaultProxy, control_plane: ControlPlane, tmp_path: Path
) -> None:
    path = _kubeconfig(tmp_path, fault_proxy, control_plane, {"token": "no\nbody"})
    with pytest.raises(AccessError, match="characters"):
        load_access({}, kubeconfig=str(path))


def _kubeconfig(folder: Path, proxy: FaultProxy, control_plane: ControlPlane, user: dict[str, Any]) -> Path:
    config = json.loads(proxy.kubeconfig().read_text())
    config["users"][0]["user"] = user
    path = folder / "config"
    path.write_text(json.dumps(config))
    return path
