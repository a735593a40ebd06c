"""Comparisons to write: an ordinary one, an empty one and a hostile one."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from gitops_guard.diff import compare
from gitops_guard.model import ChangeReport, CheckError, Origin, Resource, Skipped
from gitops_guard.model.resource import resource_id
from gitops_guard.report import FormatOptions
from gitops_guard.report.diff_formats import DIFF_FORMATS

BEFORE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - {name: web, image: "registry.example.com/web:1.2.3", env: [{name: A, value: "1"}, {name: B, value: "2"}],
           args: [--a, --b], resources: {limits: {cpu: 1000m}}}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: hunter2-hunter2, old: gone-and-gone}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app-9k4c2dbm7h, namespace: shop}
data:
  app.json: '{"level": "info", "url": "postgres://hunter2-hunter2@db"}'
  notes: |
    one
    two
    three
---
apiVersion: v1
kind: Namespace
metadata: {name: old}
"""
AFTER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {team: a}}
spec:
  replicas: 3
  template:
    spec:
      restartPolicy: Always
      containers:
        - {name: web, image: "registry.example.com/web:1.3.0", env: [{name: B, value: "2"}, {name: A, value: "1"}],
           args: [--b, --a], resources: {limits: {cpu: 1}}}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: hunter3-hunter3, new: came-and-came}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app-bb5fm8ct4g, namespace: shop}
data:
  app.json: '{"level": "debug", "url": "postgres://hunter3-hunter3@db"}'
  notes: |
    one
    2
    three
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, x: "multi\\n  line\\n", y: "true", z: null}
"""
SECRETS = ("hunter2", "hunter3", "gone-and-gone", "came-and-came")

EVIL = (
    "\x1b[31m::error::x %0A%25 ```` `a` | <img src=x> @root #1 [l](http://e) \u202e<!-- --> </details> ##[group]\r\n"
    "::warning::y \ud800 \u2028 ```\n# Heading\n- @everyone\n"
)


def _resources(text: str, path: str) -> list[Resource]:
    return [_resource(body, path, number) for number, body in enumerate(yaml.safe_load_all(text))]


def _resource(body: Any, path: str, number: int = 0) -> Resource:
    return Resource(id=resource_id(body), body=body, origin=Origin(path=path, document=number, line=10 * number + 1))


def _ordinary() -> ChangeReport:
    return ChangeReport(
        changes=compare(_resources(BEFORE, "apps/web.yaml"), _resources(AFTER, "apps/web.yaml"), in_full=True),
        before="commit 1a2b3c4",
        after="work tree",
        identical_files=7,
        skipped=(Skipped(path="apps/kustomization.yaml", resource="", reason="kustomization"),),
        errors=(CheckError(path="apps/bad.yaml", line=3, column=5, rule="yaml-syntax", message="found a tab"),),
        notes=("kustomizations are not rendered",),
    )


def _hostile() -> ChangeReport:
    before = {
        "apiVersion": EVIL,
        "kind": EVIL,
        "metadata": {"name": EVIL, "namespace": EVIL},
        "spec": {EVIL: EVIL, "l": [EVIL]},
    }
    after = {**before, "spec": {EVIL: EVIL + "x", "l": [EVIL, {"name": EVIL}], "long": "`" * 50 + "\n" + EVIL}}
    new = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": EVIL},
        "data": {EVIL: EVIL, "b": "```\n@a\n````\n"},
    }
    return ChangeReport(
        changes=compare([_resource(before, EVIL)], [_resource(after, EVIL + "2"), _resource(new, EVIL)], in_full=True),
        before=EVIL,
        after=EVIL,
        skipped=(Skipped(path=EVIL, resource=EVIL, reason=EVIL),),
        errors=(CheckError(path=EVIL, line=1, column=1, message=EVIL, rule=EVIL),),
    )


@pytest.fixture
def comparisons() -> dict[str, ChangeReport]:
    return {"ordinary": _ordinary(), "clean": ChangeReport(changes=(), before="a", after="b"), "hostile": _hostile()}


@pytest.fixture
def compared_bodies() -> Callable[[Any, Any], ChangeReport]:
    """Return what comes of two lists of bodies."""

    def run(before: list[Any], after: list[Any]) -> ChangeReport:
        sides = [[_resource(body, "a.yaml", number) for number, body in enumerate(side)] for side in (before, after)]
        return ChangeReport(changes=compare(*sides, in_full=True))

    return run


@pytest.fixture
def written() -> Callable[..., str]:
    def write(name: str, report: ChangeReport, **options: Any) -> str:
        out = io.StringIO()
        DIFF_FORMATS[name](report, out, FormatOptions(**options))
        return out.getvalue()

    return write


@pytest.fixture
def secrets() -> tuple[str, ...]:
    return SECRETS
