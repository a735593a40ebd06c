"""The network: never without leave, and with leave what is remote is fetched; a server on this machine is all there is."""

import dataclasses
import functools
import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gitops_guard.render import Options

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: far\n"


class Server(http.server.ThreadingHTTPServer):
    """Serves a directory and notes what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.SimpleHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        self.server.asked.append(self.path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "far.yaml").write_text(CONFIG_MAP, encoding="utf-8")
    with Server(folder) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def chart_server(server: Server, helm: Path, tmp_path: Path) -> Server:
    """Serve a repository with one chart, `far` 1.2.3."""
    chart = tmp_path / "far"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: far\nversion: 1.2.3\n", encoding="utf-8")
    (chart / "templates" / "map.yaml").write_text(CONFIG_MAP, encoding="utf-8")
    served = tmp_path / "served"
    subprocess.run([helm, "package", chart, "--destination", served], check=True, capture_output=True, timeout=60)
    subprocess.run([helm, "repo", "index", served], check=True, capture_output=True, timeout=60)
    return server


@pytest.fixture
def online(tmp_path: Path) -> Options:
    home = {"HOME": str(tmp_path / "home"), "PATH": ""}
    return Options(environment=home, allow_network=True)


def test_render_when_a_resource_is_remote_then_only_leave_fetches_it(rendered, online, server):
    files = {"kustomization.yaml": f"resources: ['{server.url}/far.yaml']\n"}
    (refused,) = rendered(files, dataclasses.replace(online, allow_network=False)).units
    assert ([], ()) == (server.asked, refused.objects)
    (unit,) = rendered(files, online).units
    assert () == unit.errors
    assert (["far"], ["/far.yaml"]) == ([one.resource.id.name for one in unit.objects], server.asked)
    assert ("kustomization.yaml", 1) == (unit.objects[0].resource.origin.path, unit.objects[0].resource.origin.line)


def application(url: str) -> str:
    source = {"repoURL": url, "chart": "far", "targetRevision": "1.2.3"}
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "far", "namespace": "argocd"},
        "spec": {"source": source, "destination": {"name": "blue", "namespace": "shop"}},
    }
    return yaml.safe_dump(body)


def test_render_when_a_chart_is_remote_then_only_leave_fetches_it(rendered, online, chart_server, helm, named):
    options = dataclasses.replace(online, environment={**online.environment, "PATH": str(helm.parent)})
    files = {"argo/far.yaml": application(chart_server.url)}
    refused = named(rendered(files, dataclasses.replace(options, allow_network=False)), "argocd/far")
    assert ([], ()) == (chart_server.asked, refused.objects)
    assert "needs --allow-network" in refused.errors[0].message
    unit = named(rendered(files, options), "argocd/far")
    assert () == unit.errors
    assert [("far", "argo/far.yaml", 1)] == [
        (one.resource.id.name, one.resource.origin.path, one.resource.origin.line) for one in unit.objects
    ]


def test_render_when_a_chart_was_fetched_before_then_later_runs_need_no_network(
    rendered, online, chart_server, helm, named, tmp_path
):
    path, cache = str(helm.parent), str(tmp_path / "cache")
    options = dataclasses.replace(online, environment={**online.environment, "PATH": path}, cache_dir=cache)
    files = {"argo/far.yaml": application(chart_server.url)}
    first = named(rendered(files, options), "argocd/far")
    asked = len(chart_server.asked)
    offline = named(rendered(files, dataclasses.replace(options, allow_network=False)), "argocd/far")
    assert ((), ()) == (first.errors, offline.errors)
    assert (first.objects, asked) == (offline.objects, len(chart_server.asked))
    newer = {"argo/far.yaml": application(chart_server.url).replace("1.2.3", "1.2.4")}
    refused = named(rendered(newer, dataclasses.replace(options, allow_network=False)), "argocd/far")
    assert "needs --allow-network" in refused.errors[0].message


def test_render_when_a_dependency_is_remote_then_only_leave_fetches_it(rendered, online, chart_server, helm):
    options = dataclasses.replace(online, environment={**online.environment, "PATH": str(helm.parent)})
    needs = f"dependencies: [{{name: far, version: 1.x, repository: '{chart_server.url}'}}]\n"
    files = {"chart/Chart.yaml": f"apiVersion: v2\nname: web\nversion: 1.0.0\n{needs}"}
    (refused,) = rendered(files, dataclasses.replace(options, allow_network=False)).units
    assert ([], ()) == (chart_server.asked, refused.objects)
    (unit,) = rendered(files, options).units
    assert () == unit.errors
    assert ["far"] == [one.resource.id.name for one in unit.objects]
