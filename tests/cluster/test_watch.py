"""Watches of a real server: their order, their end, and how they go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from controlplane.proxy import Fault, FaultProxy

from gitops_guard.cluster import ApiError, ApiResource, Client, ErrorClass, EventType, UnreachableError

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def config_maps(client: Client) -> ApiResource:
    found = client.resources().find("", "v1", "ConfigMap")
    assert found is not None
    return found


def test_watch_when_objects_change_then_the_events_come_in_order(
    client: Client, namespace: str, config_map: Make, config_maps: ApiResource
) -> None:
    since = client.list(config_maps, namespace=namespace).resource_version
    with client.watch(config_maps, namespace=namespace, resource_version=since, timeout_s=30) as events:
        client.apply(config_map(namespace, a="b"), manager="m")
        last = client.apply(config_map(namespace, a="c"), manager="m").body
        seen = [next(events) for _ in range(2)]
        assert events.resource_version == last["metadata"]["resourceVersion"]
    assert [(EventType.ADDED, "b"), (EventType.MODIFIED, "c")] == [(one.type, one.object["data"]["a"]) for one in seen]


def test_watch_when_its_time_is_up_then_it_ends_in_good_order(
    client: Client, namespace: str, config_maps: ApiResource
) -> None:
    since = client.list(config_maps, namespace=namespace).resource_version
    with client.watch(config_maps, namespace=namespace, resource_version=since, timeout_s=1) as events:
        assert {EventType.BOOKMARK} >= {event.type for event in events}


def test_watch_when_by_metadata_then_there_is_no_data(
    client: Client, namespace: str, config_map: Make, config_maps: ApiResource
) -> None:
    client.apply(config_map(namespace, a="b"), manager="m")
    with client.watch(config_maps, namespace=namespace, metadata_only=True, timeout_s=30) as events:
        event = next(events)
    assert ("settings", False) == (event.object["metadata"]["name"], "data" in event.object)


def test_watch_when_it_is_cancelled_then_its_reader_sees_the_end(
    client: Client, namespace: str, config_maps: ApiResource
) -> None:
    since = client.list(config_maps, namespace=namespace).resource_version
    with client.watch(config_maps, namespace=namespace, resource_version=since, bookmarks=False) as events:
        timer = threading.Timer(0.1, events.cancel)
        timer.start()
        assert list(events) == []
        timer.join()


def test_watch_when_the_connection_is_cut_then_an_error_and_it_can_go_on(
    through_proxy: Client, fault_proxy: FaultProxy, namespace: str, config_map: Make, config_maps: ApiResource
) -> None:
    since = through_proxy.list(config_maps, namespace=namespace).resource_version
    fault_proxy.order(Fault(path="watch=1", watch_events=1))
    with through_proxy.watch(config_maps, namespace=namespace, resource_version=since) as events:
        for value in ("b", "c"):
            through_proxy.apply(config_map(namespace, a=value), manager="m")
        assert next(events).object["data"] == {"a": "b"}
        with pytest.raises(UnreachableError, match="the watch was cut"):
            next(events)
        since = events.resource_version
    with through_proxy.watch(config_maps, namespace=namespace, resource_version=since, timeout_s=30) as events:
        assert next(events).object["data"] == {"a": "c"}


@pytest.mark.parametrize(("status", "expected"), [(503, ErrorClass.OVERLOADED), (410, ErrorClass.EXPIRED)])
def test_watch_when_it_is_refused_then_an_error_of_that_class(
    through_proxy: Client, fault_proxy: FaultProxy, config_maps: ApiResource, status: int, expected: ErrorClass
) -> None:
    fault_proxy.order(Fault(path="watch=1", status=status))
    with pytest.raises(ApiError) as caught:
        through_proxy.watch(config_maps)
    assert caught.value.error_class is expected
