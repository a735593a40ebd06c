"""Members whose kind went from the real server: forgotten once it is certain, and not before."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from controlplane.api import wait_for
from controlplane.server import ADMIN, NAMESPACED, ControlPlane

from gitops_guard.model.sync import SyncVerdict
from gitops_guard.sync.objects import Key
from gitops_guard.sync.planning import Item, Step
from gitops_guard.sync.vanished import Vanishing

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(group: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }  # fmt: skip


class World:
    """A set with a ConfigMap and a Widget, whose definition is somebody else's."""

    def __init__(self, fleet: Any, words: Any, api: Any) -> None:
        self.api = api
        self.group = f"{fleet.namespace}.example.com"
        self.define()
        widget = {"apiVersion": f"{self.group}/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {}}
        fleet.want(words.config_map(fleet.namespace), widget)
        assert SyncVerdict.SYNCED is fleet.sync().verdict
        fleet.drop("Widget", "a")

    def define(self) -> None:
        self.api.expect("POST", DEFINITIONS, definition(self.group))
        wait_for(lambda: self.is_served, what="the kind to be served")

    def undefine(self) -> None:
        self.api.expect("DELETE", f"{DEFINITIONS}/widgets.{self.group}")
        wait_for(lambda: not self.is_served, what="the kind to be gone")

    @property
    def is_served(self) -> bool:
        return self.api.request("GET", f"/apis/{self.group}/v1").status == 200


@pytest.fixture
def world(fleet: Any, words: Any, control_plane: ControlPlane) -> World:
    return World(fleet, words, control_plane.api(ADMIN))


def item(group: str) -> Item:
    return Item(key=Key(group, "Widget", "shop", "a"), step=Step.SKIP)


def test_sync_when_a_kind_is_gone_for_good_then_its_objects_are_forgotten(world, fleet, words, connect):
    world.undefine()

    told = fleet.drift(client=connect())
    report, again = (fleet.sync(client=connect(), prune=True) for _ in range(2))

    assert "its kind is not served at the moment" in [one.reason for one in told.changes]
    assert (SyncVerdict.SYNCED, {"ConfigMap settings": "unchanged", "Widget a": "skipped"}) == (
        report.verdict, words.actions(report),
    )  # fmt: skip
    assert "its kind is gone for good, and the object with it: forgotten" in [one.reason for one in report.changes]
    assert {"ConfigMap settings": "unchanged"} == words.actions(again)
    assert ["settings"] == [key.name for key in fleet.stored().inventory.entries]


def test_sync_when_definitions_may_not_be_listed_then_the_objects_are_remembered(
    world, fleet, words, connect, control_plane
):
    world.undefine()
    control_plane.allow_in(fleet.namespace)

    report = fleet.sync(client=connect(NAMESPACED))

    assert "its kind is not served at the moment" in [one.reason for one in report.changes]
    assert {"settings", "a"} == {key.name for key in fleet.stored().inventory.entries}


def test_gone_when_the_kind_comes_back_between_the_looks_then_nothing_is(world, fleet):
    world.undefine()
    vanishing = Vanishing(fleet.client, [item(world.group)], apart_s=0.0)
    world.define()

    assert [] == vanishing.gone(threading.Event())


def test_gone_when_the_run_is_told_to_end_then_it_does_not_wait(world, fleet):
    world.undefine()
    stopped = threading.Event()
    vanishing = Vanishing(fleet.client, [item(world.group)])
    stopped.set()

    assert [] == vanishing.gone(stopped)


def test_gone_when_a_definition_is_there_but_not_served_then_nothing_is(world, fleet, control_plane):
    world.undefine()
    api = control_plane.api(ADMIN)
    unserved = definition(world.group)
    unserved["spec"]["versions"][0]["served"] = False
    api.expect("POST", DEFINITIONS, unserved)

    assert [] == Vanishing(fleet.client, [item(world.group)], apart_s=0.0).gone(threading.Event())


def test_gone_when_only_another_kind_of_the_group_is_defined_then_it_is(world, fleet):
    other = Item(key=Key(world.group, "Gadget", "shop", "b"), step=Step.SKIP)

    assert [other] == Vanishing(fleet.client, [other, item(world.group)], apart_s=0.0).gone(threading.Event())
