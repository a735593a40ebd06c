"""Corners of single hazards that the corpus does not have."""

import copy

import pytest

from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.all import find_hazards

CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
}
SET = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {
        "replicas": 3,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "volumeClaimTemplates": [CLAIM],
        "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {"containers": [{"name": "db", "image": "db:1.0"}]},
        },
    },
}


def live(body):
    """As a cluster prints it."""
    body = copy.deepcopy(body)
    body["metadata"]["uid"] = "5f1c"
    body["spec"]["podManagementPolicy"] = "OrderedReady"
    claim = body["spec"]["volumeClaimTemplates"][0]
    claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}
    claim["spec"] |= {"volumeMode": "Filesystem", "resources": {"requests": {"storage": "1Gi"}}}
    return body


def with_spec(body, **fields):
    return {**body, "spec": {**body["spec"], **fields}}


def rules(before, after, given=None):
    sides = [
        [Resource(id=resource_id(body), body=body, origin=Origin(path="a.yaml", document=number, line=1)) for number, body in enumerate(side)]
        for side in (before, after)
    ]  # fmt: skip
    change = Change.between(*sides, Assumptions.from_mapping(given or {}))
    return sorted(hazard.problem.rule for hazard in find_hazards(change))


def deployment(**fields):
    return with_spec({**SET, "kind": "Deployment"}, **fields)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(live(SET), SET, [], id="live-with-defaults"),
        pytest.param(live(SET), with_spec(SET, serviceName="other"), ["immutable-field-change"], id="live-changed"),
        pytest.param(SET, with_spec(SET, podManagementPolicy="OrderedReady"), [], id="default-spelt-out"),
        pytest.param(SET, with_spec(SET, podManagementPolicy="Parallel"), ["immutable-field-change"], id="not-the-default"),
        pytest.param(SET, with_spec(SET, volumeClaimTemplates=[]), ["immutable-field-change"], id="claims-removed"),
    ],
)  # fmt: skip
def test_immutable_field_when_compared_then_defaults_of_the_server_are_no_change(before, after, expected):
    assert expected == rules([before], [after])


def budget(**fields):
    spec = {"selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]}, **fields}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"minAvailable": "67%"}, ["pdb-blocks-drains"], id="percentage-rounds-up"),
        pytest.param({"minAvailable": "66%"}, [], id="percentage-below"),
        pytest.param({"maxUnavailable": "0%"}, ["pdb-blocks-drains"], id="nothing"),
        pytest.param({"maxUnavailable": "1%"}, [], id="rounds-up-to-one"),
        pytest.param({}, [], id="neither"),
    ],
)
def test_pdb_when_percentages_are_rounded_then_as_the_disruption_controller_does(fields, expected):
    assert expected == rules([SET], [SET, budget(**fields)])


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        pytest.param({"hard": {"pods": "3"}}, ["quota-blocks-rollout"], id="full"),
        pytest.param({"hard": {"pods": "3"}, "scopes": ["BestEffort"]}, [], id="other-pods"),
        pytest.param({"hard": {"count/secrets": "3"}}, [], id="no-pods"),
        pytest.param({"hard": {"pods": "4"}}, [], id="room"),
    ],
)
def test_quota_when_it_counts_these_pods_then_a_surge_must_fit(quota, expected):
    hard = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "shop"}, "spec": quota}
    after = copy.deepcopy(deployment())
    after["spec"]["template"]["spec"]["containers"][0]["image"] = "db:1.1"
    assert expected == rules([deployment(), hard], [after, hard])


def test_hazards_when_nothing_changes_then_there_are_none():
    bodies = [deployment(replicas=1), budget(minAvailable=1), budget(maxUnavailable=0)]
    assert [] == rules(bodies, bodies)
