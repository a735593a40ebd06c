"""The recordings say what the live server and its controllers do, and can be replayed without them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from controlplane import exchanges, scenarios, tools, traces
from controlplane.controllers import Controllers
from controlplane.replay import Replay
from controlplane.server import ControlPlane

AGAIN = "if the server is right, record again: PYTHONPATH=tests python -m controlplane.record"


@pytest.mark.parametrize("name", scenarios.EXCHANGES)
def test_exchanges_when_run_on_the_live_server_then_they_are_as_recorded(
    control_plane: ControlPlane, namespace: str, name: str
) -> None:
    recorded = exchanges.load(name)
    assert recorded["version"] == control_plane.version(), AGAIN
    assert recorded["exchanges"] == exchanges.run(control_plane, namespace, scenarios.EXCHANGES[name]), AGAIN


@pytest.mark.parametrize("name", scenarios.ROLLOUTS)
def test_rollout_when_run_on_the_live_controllers_then_it_is_as_recorded(
    controllers: Controllers, controlled_namespace: str, name: str
) -> None:
    recorded, rollout = exchanges.load(name), scenarios.ROLLOUTS[name]
    versions = {"kubernetes": controllers.control_plane.version(), "kwok": tools.KWOK.version}
    assert recorded["versions"] == versions, AGAIN
    run = traces.record(controllers, controlled_namespace, rollout)
    live = traces.content(versions["kubernetes"], versions["kwok"], rollout, [run])
    assert [recorded[key] for key in ("before", "after")] == [live[key] for key in ("before", "after")], AGAIN
    assert recorded["bounds"] == live["bounds"] | {"min_ready": recorded["bounds"]["min_ready"]}, AGAIN
    # a slow machine may delete old pods when new ones are ready already: then more are ready than have to be
    assert recorded["bounds"]["min_ready"] <= live["bounds"]["min_ready"], AGAIN
    if rollout.is_repeatable:
        assert recorded["paths"] == live["paths"], AGAIN


@pytest.mark.parametrize("name", [name for name, rollout in scenarios.ROLLOUTS.items() if rollout.is_repeatable])
def test_rollout_recording_when_repeatable_then_it_has_one_path(name: str) -> None:
    assert len(exchanges.load(name)["paths"]) == 1


def test_recordings_when_listed_then_each_has_its_scenario() -> None:
    kept = {path.stem for path in exchanges.RECORDINGS.glob("*.json")}
    assert {*scenarios.EXCHANGES, *scenarios.ROLLOUTS} == kept


@pytest.mark.parametrize("name", scenarios.EXCHANGES)
def test_replay_when_asked_what_was_recorded_then_it_answers_as_the_server_did(
    replay: Callable[[str], Replay], name: str
) -> None:
    running = replay(name)
    for exchange in running.exchanges:
        assert exchange["response"] == _ask(running, exchange["request"])
    assert running.unasked == []


def test_replay_when_asked_anything_else_then_501_and_it_is_kept() -> None:
    with Replay("exchange-errors") as running:
        request = {"method": "GET", "path": "/version", "query": {"verbose": "1"}, "headers": {}, "body": None}
        assert _ask(running, request)["status"] == 501
        assert running.unexpected == ["GET /version?verbose=1"]


def test_kubeconfig_when_written_then_it_leads_to_the_replay(tmp_path: Path) -> None:
    with Replay("exchange-errors") as running:
        config = json.loads(running.kubeconfig(tmp_path).read_text(encoding="utf-8"))
    assert [{"name": "replay", "cluster": {"server": running.url}}] == config["clusters"]


def test_normalise_when_runs_differ_in_names_alone_then_they_are_equal() -> None:
    def run(namespace: str, uid: str, first: int, second: int) -> Any:
        bodies = [
            {
                "metadata": {"namespace": namespace, "uid": uid, "resourceVersion": str(version)},
                "at": f"2026-0{version % 9 + 1}-01T00:00:00Z",
            }
            for version in (first, second, first)
        ]
        return exchanges.normalise([{"response": {"body": body}} for body in bodies], namespace)

    one = run("a-1", "7436f2d5-9c3b-4990-961c-2b06ba3c1f79", 97, 101)
    assert one == run("b-2", "8436f2d5-9c3b-4990-961c-2b06ba3c1f79", 1002, 2001)
    assert [each["response"]["body"]["metadata"]["resourceVersion"] for each in one] == ["100", "101", "100"]


def _ask(running: Replay, request: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    try:
        query = f"?{urlencode(request['query'])}" if request["query"] else ""
        data = None if request["body"] is None else json.dumps(request["body"])
        connection.request(request["method"], request["path"] + query, data, request["headers"])
        response = connection.getresponse()
        text = response.read().decode()
        kept = {name.lower(): value for name, value in response.getheaders() if name != "Content-Length"}
        is_json = kept["content-type"].startswith("application/json")
        return {"status": response.status, "headers": kept, "body": json.loads(text) if is_json else text}
    finally:
        connection.close()
