"""Our sets as kubectl knows them: the same id, listed by label, and left alone by it."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest
from controlplane.server import ADMIN, ControlPlane

from gitops_guard.errors import SyncError
from gitops_guard.sync.applyset import OUR_TOOL, TOOLING, set_id
from gitops_guard.sync.objects import PART_OF
from gitops_guard.sync.rebuilding import rebuild


@pytest.fixture
def run(control_plane: ControlPlane, kubectl: str) -> Any:
    def call(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "KUBECTL_APPLYSET": "true"}
        line = [str(kubectl), "--kubeconfig", str(control_plane.kubeconfig(ADMIN)), *arguments]
        return subprocess.run(line, input=stdin, env=environment, capture_output=True, text=True, check=False)

    return call


def test_id_when_made_then_it_is_kubectls():
    assert "applyset-T_ycqxUjnOYjhLAP_dNrVBEJzeuz2_C7ry_Q7gB4doo-v1" == set_id("set1", "as1", "Secret", "")


def test_set_when_synced_then_kubectl_lists_its_members(fleet, words, run):
    fleet.want(words.config_map(fleet.namespace), words.deployment(fleet.namespace))
    fleet.sync()

    listed = run(
        "get", "configmaps,deployments", "-n", fleet.namespace, "-l", f"{PART_OF}={fleet.name.id}", "-o", "name"
    )

    assert ["configmap/settings", "deployment.apps/web"] == listed.stdout.split()


def test_set_when_kubectl_shall_prune_it_then_kubectl_refuses(fleet, words, run):
    fleet.want(words.config_map(fleet.namespace))
    fleet.sync()

    done = run(
        "apply", "-n", fleet.namespace, "--server-side", "--prune", f"--applyset=configmaps/{fleet.name.parent}", "-f", "-",
        stdin='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}}',
    )  # fmt: skip

    assert done.returncode != 0
    assert f'managed by tooling "{OUR_TOOL}" instead of "kubectl"' in done.stderr


def test_set_when_made_by_kubectl_then_we_refuse_it_until_it_is_handed_over(fleet, words, run, control_plane):
    api = control_plane.api(ADMIN)
    done = run(
        "apply", "-n", fleet.namespace, "--server-side", "--prune", f"--applyset=configmaps/{fleet.name.parent}", "-f", "-",
        stdin='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "1"}}',
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    path = f"/api/v1/namespaces/{fleet.namespace}/configmaps/{fleet.name.parent}"
    assert fleet.name.id == api.expect("GET", path)["metadata"]["labels"]["applyset.kubernetes.io/id"]
    fleet.want(words.config_map(fleet.namespace))

    with pytest.raises(SyncError, match='managed by tooling "kubectl'):
        fleet.sync()
    headers = {"Content-Type": "application/merge-patch+json"}
    api.expect("PATCH", path, {"metadata": {"annotations": {TOOLING: f"{OUR_TOOL}/v0"}}}, headers=headers)
    rebuild(fleet.client, fleet.name)
    report = fleet.sync()

    assert "synced" == report.verdict


def test_members_when_kubectl_applies_one_into_its_own_set_then_it_is_refused(fleet, words, run):
    fleet.want(words.config_map(fleet.namespace))
    fleet.sync()

    done = run(
        "apply", "-n", fleet.namespace, "--server-side", "--prune", "--applyset=theirs", "-f", "-",
        stdin='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "1"}}',
    )  # fmt: skip

    assert done.returncode != 0
    assert "conflict" in done.stderr
