"""What a sync tells while it runs: one line that changes on a terminal, a line an event in a pipe."""

from __future__ import annotations

import io

import pytest

from gitops_guard.commands.sync_narration import Narration
from gitops_guard.model.sync import SyncAction
from gitops_guard.sync.applying import Outcome
from gitops_guard.sync.health.pods import Pods, pods_of
from gitops_guard.sync.objects import Key
from gitops_guard.sync.planning import Item, Step
from gitops_guard.sync.waiting import Standing


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def outcome(name: str, action: SyncAction = SyncAction.CREATED) -> Outcome:
    return Outcome(item=Item(key=Key("", "ConfigMap", "shop", name), step=Step.CREATE), action=action, reason="why")


STANDINGS = [
    Standing(well=1, of=2, pods=Pods(0, 3), waits_for="Deployment.apps shop/web (replicas: 0/3)"),
    Standing(well=1, of=2, pods=Pods(2, 3), waits_for="Deployment.apps shop/web (replicas: 2/3)"),
    Standing(well=2, of=2, pods=Pods(3, 3)),
]


def test_narration_when_on_a_terminal_then_one_line_says_how_far_it_is_and_is_wiped(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()

    with Narration(out) as narration:
        narration.planned(2)
        narration.object_done(outcome("a"))
        narration.object_done(outcome("b", SyncAction.UNCHANGED))
        for standing in STANDINGS:
            narration.health(standing)

    assert [
        "1 of 2 objects, ConfigMap shop/a",
        "2 of 2 objects, ConfigMap shop/b",
        "1 of 2 objects are healthy, 0 of 3 pods are ready; waits for Deployment.apps shop/web (replicas: 0/",
        "1 of 2 objects are healthy, 2 of 3 pods are ready; waits for Deployment.apps shop/web (replicas: 2/",
        "2 of 2 objects are healthy, 3 of 3 pods are ready",
        "",
    ] == out.getvalue().split("\r\x1b[K")[1:]


def test_narration_when_in_a_pipe_then_it_is_a_line_an_event():
    out = io.StringIO()

    with Narration(out, cluster="eu") as narration:
        narration.planned(2)
        narration.object_done(outcome("a"))
        narration.object_done(outcome("b", SyncAction.UNCHANGED))
        for standing in STANDINGS:
            narration.health(standing)

    assert [
        "gitops-guard: eu: created ConfigMap shop/a: why",
        "gitops-guard: eu: 1 of 2 objects are healthy, 0 of 3 pods are ready",
        "gitops-guard: eu: 2 of 2 objects are healthy, 3 of 3 pods are ready",
    ] == out.getvalue().splitlines()


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_narration_when_a_name_holds_control_characters_then_they_are_not_sent(stream):
    out = stream()

    Narration(out).object_done(outcome("x\x1b[31m\ny"))

    assert "\x1b[31m" not in out.getvalue()
    assert out.getvalue().count("\n") <= 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"kind": "Deployment", "spec": {"replicas": 3}, "status": {"readyReplicas": 2}}, (2, 3), id="two-of-three"),
        pytest.param({"kind": "StatefulSet"}, (0, 1), id="one-is-the-default"),
        pytest.param({"kind": "DaemonSet", "status": {"desiredNumberScheduled": 5, "numberReady": 4}}, (4, 5), id="by-node"),
        pytest.param({"kind": "ConfigMap"}, (0, 0), id="no-workload"),
        pytest.param({"kind": "Deployment", "spec": [], "status": {"readyReplicas": "x"}}, (0, 1), id="malformed"),
    ],
)  # fmt: skip
def test_pods_when_counted_then_as_the_status_has_them(body, expected):
    assert expected == pods_of(body)
