"""The fixtures of the control plane, for every test under `tests/`; `docs/how-to/test-against-a-cluster.md` shows their use.

A test that asks for one of them is marked `controlplane`. Under `pytest -n N --dist loadfile` each worker starts a server of its own; two of
them take 60 % of the time of one. What a fixture cannot get fails the test and says how to get it: nothing here skips.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from controlplane import binaries, tools
from controlplane.controllers import Controllers
from controlplane.gitea import Gitea
from controlplane.others import ArgoRollouts, Flagger
from controlplane.proxy import FaultProxy
from controlplane.replay import Replay
from controlplane.server import ControlPlane

_NEEDS: dict[str, tuple[tools.Tool, ...]] = {
    "control_plane": tools.CONTROL_PLANE,
    "start_control_plane": tools.CONTROL_PLANE,
    "controllers": (*tools.CONTROL_PLANE, *tools.CONTROLLERS),
    "start_controllers": (*tools.CONTROL_PLANE, *tools.CONTROLLERS),
    "flagger": (*tools.CONTROL_PLANE, *tools.CONTROLLERS, tools.FLAGGER),
    "argo_rollouts": (*tools.CONTROL_PLANE, *tools.CONTROLLERS, tools.ARGO_ROLLOUTS),
    "kubectl": (tools.KUBECTL,),
    "helm": (tools.HELM,),
    "gitea": (tools.GITEA,),
    "actionlint": (tools.ACTIONLINT,),
}
"""Which tools each fixture needs: they are had before the first test runs, outside of its time limit."""

_namespace_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, wherever the plugin is loaded."""
    config.addinivalue_line(
        "markers", "controlplane: asks the real control plane; see docs/how-to/test-against-a-cluster.md"
    )


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a control plane."""
    for item in items:
        if _NEEDS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.controlplane)


# Last, so that -m and -k have left their choice: `pytest -m "not controlplane"` builds nothing.
@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Get the binaries that the chosen tests need; a failure is kept for the fixture that asks for the binary."""
    if session.config.option.collectonly:
        return
    asked = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    wanted = {tool.name: tool for fixture in sorted(_NEEDS.keys() & asked) for tool in _NEEDS[fixture]}
    for tool in wanted.values():
        # the fixture asks again, and fails the tests that need it
        with contextlib.suppress(binaries.BinaryMissingError):
            binaries.obtain(tool, say=_teller(session.config))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say where the binaries come from; a different server than the pinned one is worth a line."""
    return [f"{tool.name}: {_whereabouts(tool)}" for tool in tools.CONTROL_PLANE]


def _whereabouts(tool: tools.Tool) -> str:
    try:
        return str(binaries.locate(tool) or f"{tool.version} will be built when a test asks for it")
    except binaries.BinaryMissingError as error:
        return error.reason


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show the end of the servers' logs with a failed test."""
    report: Any = yield
    if report.failed:
        for fixture in sorted(set(getattr(item, "fixturenames", ())) & {"control_plane", "controllers"}):
            used = getattr(item, "funcargs", {}).get(fixture)
            plane = used.control_plane if isinstance(used, Controllers) else used
            if isinstance(plane, ControlPlane):
                report.sections += [(f"log of {name} ({fixture})", text) for name, text in plane.logs().items()]
    return report


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Start etcd and kube-apiserver, once for the session; no controller runs beside them.

    Tests share it: use `namespace`, and leave cluster-wide state as it was. What needs restarts, faults in the server or
    cluster-wide state takes `start_control_plane`.
    """
    plane = _control_plane(tmp_path_factory.mktemp("control-plane"))
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


@pytest.fixture
def start_control_plane(tmp_path: Path) -> Iterator[Callable[..., ControlPlane]]:
    """Return a function that starts a server of the test's own; it takes more flags for kube-apiserver."""
    started: list[ControlPlane] = []

    def start(*flags: str) -> ControlPlane:
        plane = _control_plane(tmp_path / f"control-plane-{len(started)}", flags)
        started.append(plane)
        plane.start()
        return plane

    yield start
    for plane in started:
        plane.stop()


@pytest.fixture(scope="session")
def controllers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controllers]:
    """Start a control plane with kube-controller-manager, kube-scheduler and KWOK, once for the session.

    It is another server than `control_plane`, so that what a test sees there does not depend on whether a test before it asked for
    controllers.
    """
    plane = _control_plane(tmp_path_factory.mktemp("controllers"))
    try:
        plane.start()
        running = _controllers(plane)
        running.start()
        yield running
    finally:
        plane.stop()


@pytest.fixture
def start_controllers(start_control_plane: Callable[..., ControlPlane]) -> Callable[..., Controllers]:
    """Return a function that starts a server with controllers of the test's own."""

    def start(*flags: str) -> Controllers:
        running = _controllers(start_control_plane(*flags))
        running.start()
        return running

    return start


@pytest.fixture(scope="session")
def flagger(controllers: Controllers) -> Flagger:
    """Start flagger beside the controllers, with its CRDs."""
    running = Flagger(controllers, binaries.obtain(tools.FLAGGER))
    running.start()
    return running


@pytest.fixture(scope="session")
def argo_rollouts(controllers: Controllers) -> ArgoRollouts:
    """Start the controller of Argo Rollouts beside the controllers, with its CRDs."""
    running = ArgoRollouts(controllers, binaries.obtain(tools.ARGO_ROLLOUTS))
    running.start()
    return running


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    """Create a namespace of the test's own on `control_plane`; nothing deletes it, for no namespace controller runs there."""
    name = _namespace_name(request)
    control_plane.create_namespace(name)
    return name


@pytest.fixture
def controlled_namespace(controllers: Controllers, request: pytest.FixtureRequest) -> Iterator[str]:
    """Create a namespace of the test's own on `controllers`; it is deleted after the test, so that its pods make room."""
    name = _namespace_name(request)
    controllers.create_namespace(name)
    yield name
    controllers.delete_namespace(name)


@pytest.fixture
def fault_proxy(control_plane: ControlPlane) -> Iterator[FaultProxy]:
    """Put a proxy with faults to order in front of `control_plane`; only the test's own requests pass it."""
    with FaultProxy(control_plane) as proxy:
        yield proxy


@pytest.fixture
def replay() -> Iterator[Callable[[str], Replay]]:
    """Return a function that starts a replay of a recording; the test fails if it asks what was not recorded. Needs no server."""
    with contextlib.ExitStack() as running:
        started: list[Replay] = []

        def start(name: str) -> Replay:
            started.append(running.enter_context(Replay(name)))
            return started[-1]

        yield start
        assert [request for one in started for request in one.unexpected] == []


@pytest.fixture(scope="session")
def kubectl() -> Path:
    """Return the path of kubectl."""
    return binaries.obtain(tools.KUBECTL)


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """Return the path of actionlint."""
    return binaries.obtain(tools.ACTIONLINT)


@pytest.fixture(scope="session")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    """Start a Gitea, once for the session; a test makes a repository of its own."""
    server = Gitea(tmp_path_factory.mktemp("gitea"), binaries.obtain(tools.GITEA))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _control_plane(directory: Path, flags: tuple[str, ...] = ()) -> ControlPlane:
    etcd, kube_apiserver = binaries.obtain(tools.ETCD), binaries.obtain(tools.KUBE_APISERVER)
    return ControlPlane(directory, etcd=etcd, kube_apiserver=kube_apiserver, flags=flags)


def _controllers(plane: ControlPlane) -> Controllers:
    manager, scheduler, kwok = (binaries.obtain(tool) for tool in tools.CONTROLLERS)
    return Controllers(plane, kube_controller_manager=manager, kube_scheduler=scheduler, kwok=kwok)


def _namespace_name(request: pytest.FixtureRequest) -> str:
    readable = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_")).strip("-")[:50].rstrip("-")
    return f"{readable}-{next(_namespace_numbers)}"


def _teller(config: pytest.Config) -> binaries.Say:
    """Return a way to tell progress that pytest does not capture."""
    capture = config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            binaries.say_on_stderr(line)

    return say
