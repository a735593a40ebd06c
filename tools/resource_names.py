"""Write the names by which the API server knows its built-in resources, from real discovery data.

    PYTHONPATH=tests python tools/resource_names.py

Starts the pinned kube-apiserver (see docs/how-to/test-against-a-cluster.md) with all APIs and feature gates on, so that
resources of alpha and beta APIs are known too. Run it when the pinned version changes, and review the diff.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from controlplane import binaries, tools
from controlplane.server import ADMIN, ControlPlane

TARGET = Path(__file__).resolve().parent.parent / "gitops_guard" / "policy" / "resources.json"
FLAGS = ("--runtime-config=api/all=true", "--feature-gates=AllAlpha=true,AllBeta=true")


def main() -> None:
    """Ask a server of our own and write the table."""
    with tempfile.TemporaryDirectory() as directory:
        plane = ControlPlane(
            Path(directory),
            etcd=binaries.obtain(tools.ETCD),
            kube_apiserver=binaries.obtain(tools.KUBE_APISERVER),
            flags=FLAGS,
        )
        try:
            plane.start()
            api = plane.api(ADMIN)
            version = api.expect("GET", "/version")["gitVersion"]
            groups = ["v1"] + [v["groupVersion"] for g in api.expect("GET", "/apis")["groups"] for v in g["versions"]]
            lists = {name: api.expect("GET", f"/apis/{name}" if "/" in name else "/api/v1") for name in groups}
        finally:
            plane.stop()
    TARGET.write_text(_written(version, _table(lists)))


def _table(lists: dict[str, Any]) -> dict[str, list[Any]]:
    """Return plural, whether it is namespaced, and versions, by `Kind.group`."""
    table: dict[str, list[Any]] = {}
    for group_version, listed in lists.items():
        group, _, version = group_version.rpartition("/")
        for resource in listed["resources"]:
            if "/" not in resource["name"]:
                row = table.setdefault(
                    f"{resource['kind']}.{group}".rstrip("."), [resource["name"], resource["namespaced"], []]
                )
                row[2].append(version)
    return dict(sorted(table.items()))


def _written(version: str, table: dict[str, list[Any]]) -> str:
    rows = ",\n".join(f"  {json.dumps(kind)}: {json.dumps(row)}" for kind, row in table.items())
    source = f"discovery of kube-apiserver {version} with all APIs and feature gates on"
    return f'{{\n "source": {json.dumps(source)},\n "resources": {{\n{rows}\n }}\n}}\n'


if __name__ == "__main__":
    main()
