"""Record anew what the real server and its controllers do: `python -m controlplane.record [NAME...]`.

Starts a control plane of its own. Review the difference before committing it: it is a change of the server's behaviour, or of ours.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from controlplane import binaries, exchanges, scenarios, tools, traces
from controlplane.controllers import Controllers
from controlplane.server import ControlPlane

RUNS = 5
"""How often each rollout is traced, to see whether it has one path or several."""


def main(names: list[str]) -> int:
    """Record the named scenarios, or all; return the exit code."""
    known = [*scenarios.EXCHANGES, *scenarios.ROLLOUTS]
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"unknown scenario: {', '.join(unknown)}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory:
        _record_exchanges(Path(directory) / "plain", [name for name in scenarios.EXCHANGES if name in (names or known)])
        _record_rollouts(Path(directory) / "rolling", [name for name in scenarios.ROLLOUTS if name in (names or known)])
    return 0


def _record_exchanges(directory: Path, names: list[str]) -> None:
    if not names:
        return
    with _running(directory) as plane:
        for name in names:
            plane.create_namespace(name)
            recorded = exchanges.run(plane, name, scenarios.EXCHANGES[name])
            path = exchanges.save(name, {"version": plane.version(), "exchanges": recorded})
            print(f"{len(recorded)} exchanges: {path}", flush=True)


def _record_rollouts(directory: Path, names: list[str]) -> None:
    if not names:
        return
    with _running(directory) as plane:
        manager, scheduler, kwok = (binaries.obtain(tool) for tool in tools.CONTROLLERS)
        controllers = Controllers(plane, kube_controller_manager=manager, kube_scheduler=scheduler, kwok=kwok)
        controllers.start()
        for name in names:
            runs = []
            for number in range(RUNS):
                namespace = f"{name}-{number}"
                controllers.create_namespace(namespace)
                runs.append(traces.record(controllers, namespace, scenarios.ROLLOUTS[name]))
                controllers.delete_namespace(namespace)
            recorded = traces.content(plane.version(), tools.KWOK.version, scenarios.ROLLOUTS[name], runs)
            print(f"{len(recorded['paths'])} paths in {RUNS} runs: {exchanges.save(name, recorded)}", flush=True)


@contextlib.contextmanager
def _running(directory: Path) -> Iterator[ControlPlane]:
    etcd, kube_apiserver = (binaries.obtain(tool) for tool in tools.CONTROL_PLANE)
    plane = ControlPlane(directory, etcd=etcd, kube_apiserver=kube_apiserver)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
