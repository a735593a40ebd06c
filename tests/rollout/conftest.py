"""Workloads for tests of predictions."""

import copy

import pytest


@pytest.fixture
def workload():
    """Make a workload: `workload("Deployment", image="app:2", replicas=4, pod={...}, container={...}, **spec)`."""

    def make(kind="Deployment", *, image="app:1", replicas=4, pod=None, container=None, **spec):
        app = {"name": "app", "image": image, "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5}}
        app = {key: value for key, value in (app | (container or {})).items() if value is not None}
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [app], **(pod or {})}}
        fixed = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
        if kind != "DaemonSet" and replicas is not None:
            fixed["replicas"] = replicas
        body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", "namespace": "shop"}}
        return copy.deepcopy(body | {"spec": fixed | spec})

    return make
