"""Outlines take anything, and what is kept of them is what was there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.check.references import Group, follow, scene_of
from gitops_guard.links.nearness import is_slip
from gitops_guard.links.outline import outline, packed, unpacked
from gitops_guard.rules import REFERENCE_RULES

KINDS = (
    "Deployment", "Service", "ConfigMap", "Secret", "Ingress", "HTTPRoute", "Rollout", "StatefulSet", "CronJob", "Pod",
    "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler", "RoleBinding", "ServiceAccount", "Kustomization",
    "PersistentVolumeClaim", "ExternalSecret", "Certificate", "HelmRelease", "Cluster",
)  # fmt: skip
FIELDS = (
    "metadata", "name", "namespace", "labels", "annotations", "spec", "template", "jobTemplate", "containers", "env",
    "envFrom", "volumes", "valueFrom", "secretKeyRef", "configMapRef", "configMap", "items", "projected", "sources",
    "selector", "matchLabels", "matchExpressions", "ports", "targetPort", "rules", "http", "paths", "backend", "service",
    "backendRefs", "podSelector", "policyTypes", "ingress", "roleRef", "subjects", "scaleTargetRef", "strategy", "canary",
    "data", "volumeClaimTemplates", "target", "key", "kind", "configMapGenerator", "resources", "values",
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", "a", "web", "*", "${A}", "Service"])
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=25,
)
BODIES = st.builds(
    lambda kind, group, metadata, rest: {**rest, "kind": kind, "apiVersion": f"{group}/v1", "metadata": metadata},
    st.sampled_from(KINDS) | TREES,
    st.sampled_from(["apps", "argoproj.io", "example.com", "kustomize.config.k8s.io"]),
    st.fixed_dictionaries({"name": LEAVES}) | TREES,
    st.dictionaries(st.sampled_from(FIELDS), TREES, max_size=6),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(BODIES, max_size=4))
def test_references_when_objects_are_of_any_form_then_nothing_breaks(bodies):
    data = packed((index, (), body) for index, body in enumerate(bodies))
    found = unpacked(data)
    assert [one for index, body in enumerate(bodies) if (one := outline(body, index)) is not None] == found
    groups = [Group(unit="a", path="a.yaml", outlines=found)]
    follow(groups, scene_of(groups), REFERENCE_RULES)


@pytest.mark.parametrize(("name", "other", "expected"), [
    pytest.param("settings", "setings", True, id="dropped"),
    pytest.param("settings", "settinggs", True, id="added"),
    pytest.param("settings", "settinks", True, id="exchanged"),
    pytest.param("settings", "settigns", True, id="turned round"),
    pytest.param("settings", "settings", False, id="same"),
    pytest.param("web-1", "web-2", False, id="digits"),
    pytest.param("web", "wbe", False, id="short"),
    pytest.param("web-api", "webapi", False, id="no letter"),
    pytest.param("settings", "sittangs", False, id="two letters"),
    pytest.param("settings", "database", False, id="others"),
])  # fmt: skip
def test_is_slip_when_two_names_are_compared_then_one_letter_makes_it(name, other, expected):
    assert expected == is_slip(name, other)
    assert expected == is_slip(other, name)


def hub(size: int) -> list[dict]:
    """Return objects that all have the same labels, namespace and prefix: what an index could stumble over."""
    labels = {"team": "shop"}
    bodies: list[dict] = []
    for number in range(size):
        metadata = {"name": f"settings-{'ab' * 20}-{number}", "namespace": "shop"}
        bodies.append({"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": {}})
        spec = {"containers": [{"envFrom": [{"configMapRef": {"name": f"{'a-' * 100}{number}"}}]}]}
        template = {"metadata": {"labels": labels}, "spec": spec}
        bodies.append(
            {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": metadata, "spec": {"template": template}}
        )
        selector = {**labels, "app": f"{number}"}
        bodies.append({"kind": "Service", "apiVersion": "v1", "metadata": metadata, "spec": {"selector": selector}})
        bodies.append({"kind": "Queue", "apiVersion": "example.com/v1", "metadata": metadata, "spec": {}})
    return bodies


def calls_for(size: int) -> int:
    """Count function calls, which no slow machine changes."""
    import cProfile
    import pstats

    groups = [Group(unit="a", path="a", outlines=unpacked(packed((n, (), body) for n, body in enumerate(hub(size)))))]
    profile = cProfile.Profile()
    profile.runcall(lambda: follow(groups, scene_of(groups), REFERENCE_RULES, listed={"missing-config-map"}))
    return pstats.Stats(profile).total_calls


def test_references_when_there_are_twice_as_many_objects_then_it_takes_about_twice_the_work():
    assert calls_for(800) < 3 * calls_for(400)
