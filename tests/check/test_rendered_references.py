"""References of rendered units: the unit first, then what may meet it in its cluster, then the plain files."""

import pytest
import yaml

from gitops_guard.check.references import Group
from gitops_guard.check.rendered_references import follow_rendered
from gitops_guard.links.outline import packed, unpacked
from gitops_guard.model import CheckError, Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.model.unit import RenderedObject, RenderedUnit, Unit, UnitKind
from gitops_guard.rules import REFERENCE_RULES

WEB = """
kind: Deployment
apiVersion: apps/v1
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, envFrom: [{configMapRef: {name: settings-h7}}]}]}
"""
SETTINGS = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: settings-h7}\ndata: {a: b}\n"
FAILED = CheckError(path="k.yaml", line=1, column=0, message="a chart could not be fetched")


def unit(name: str, text: str, *, clusters=(), errors=(), hook="", namespace="shop") -> RenderedUnit:
    objects = []
    for number, body in enumerate(yaml.safe_load_all(text)):
        resource = Resource(
            id=resource_id(body), body=body, origin=Origin(path=f"{name}.yaml", document=number, line=7)
        )
        objects.append(RenderedObject(resource=resource, text="", hook=hook))
    made = Unit(
        kind=UnitKind.KUSTOMIZATION, name=name, path=name, declared_in="k.yaml", declared_line=1, clusters=clusters,
        namespace=namespace,
    )  # fmt: skip
    return RenderedUnit(unit=made, objects=tuple(objects), errors=tuple(errors))


def found(*units: RenderedUnit, plain=()) -> list[tuple[str, str, str]]:
    suspects = follow_rendered(units, plain, REFERENCE_RULES)
    return [(one.unit.name, one.problem.rule, str(one.problem.severity)) for one in suspects]


MISSING = [("web", "missing-config-map", "note")]


@pytest.mark.parametrize(("units", "expected"), [
    pytest.param([unit("web", WEB)], MISSING, id="nowhere"),
    pytest.param([unit("web", WEB + "---\n" + SETTINGS)], [], id="in the unit"),
    pytest.param([unit("web", WEB), unit("config", SETTINGS)], [], id="in another unit"),
    pytest.param([unit("web", WEB), unit("config", SETTINGS, namespace="other")], MISSING, id="in another namespace"),
    pytest.param([unit("web", WEB, clusters=("a",)), unit("c", SETTINGS, clusters=("b",))], MISSING, id="in another cluster"),
    pytest.param([unit("web", WEB, clusters=("a",)), unit("c", SETTINGS, clusters=("a", "b"))], [], id="in the same cluster"),
    pytest.param([unit("web", WEB, clusters=("a",)), unit("c", SETTINGS)], [], id="in a cluster that is not known"),
    pytest.param([unit("web", WEB, errors=[FAILED])], [], id="in a unit that is not whole"),
    pytest.param([unit("web", WEB, hook="test")], [], id="of a test"),
])  # fmt: skip
def test_rendered_unit_when_its_references_are_followed_then_its_cluster_answers(units, expected):
    assert expected == found(*units)


def test_rendered_unit_when_a_plain_file_has_the_object_then_nothing_is_said():
    outlines = unpacked(packed([(0, (), yaml.safe_load(SETTINGS))]))
    assert [] == found(unit("web", WEB), plain=[Group(unit="config", path="config/a.yaml", outlines=outlines)])


def test_rendered_unit_when_something_does_not_fit_then_the_object_is_named():
    asked = WEB.replace(
        "envFrom: [{configMapRef: {name: settings-h7}}]",
        "env: [{name: A, valueFrom: {configMapKeyRef: {name: settings-h7, key: c}}}]",
    )
    suspect = follow_rendered([unit("web", f"{SETTINGS}---{asked}")], [], REFERENCE_RULES)[0]
    assert ("error", "web", 1) == (
        str(suspect.problem.severity),
        suspect.object.resource.id.name,
        suspect.object.resource.origin.document,
    )
    assert (
        "spec",
        "template",
        "spec",
        "containers",
        0,
        "env",
        0,
        "valueFrom",
        "configMapKeyRef",
    ) == suspect.problem.field
