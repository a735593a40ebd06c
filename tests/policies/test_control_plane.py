"""The real API server gives every example the same verdict and the same message as the expressions do here."""

import copy
import subprocess
import time

import pytest

LABEL = "gitops-guard.test/judged-by"
"""Each policy is bound to the objects that carry its name in this label, so that all can be active at once."""

ACTIVE_S = 180.0
"""For all policies together to become active; the API server looks for new ones once a second."""

NAMESPACE = "policy-examples"

COLLECTION = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"


def judged_by(policy, body):
    body = copy.deepcopy(body)
    metadata = body["metadata"]
    metadata["labels"] = {**metadata.get("labels", {}), LABEL: policy.id}
    return body


def placed(body):
    """Give the object a namespace if it has none; what is cluster-wide ignores it."""
    body = copy.deepcopy(body)
    cluster_wide = body["kind"] in ("Namespace", "ClusterRole", "ClusterRoleBinding")
    if not cluster_wide:
        body["metadata"].setdefault("namespace", NAMESPACE)
    return body


def binding(policy, *, name="", params=None):
    chosen = {"objectSelector": {"matchLabels": {LABEL: name or policy.id}}}
    spec = {"policyName": policy.id, "validationActions": ["Deny"], "matchResources": chosen}
    if params:
        spec["paramRef"] = {"name": params, "namespace": NAMESPACE, "parameterNotFoundAction": "Deny"}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name or policy.id},
        "spec": spec,
    }


class Server:
    """The API server with every policy bound."""

    def __init__(self, api):
        self._api = api

    def create(self, body, *, dry_run=True):
        query = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        return self._api.request("POST", self._collection(body), body, query=query)

    def expect(self, body):
        return self._api.expect("POST", self._collection(body), body, query={"fieldValidation": "Strict"})

    def put(self, body, subresource):
        path = f"{self._collection(body)}/{body['metadata']['name']}/{subresource}"
        return self._api.request("PUT", path, body, query={"dryRun": "All"})

    def verdict(self, answer):
        """Return the policy's message, "" when the object was admitted; another refusal fails the test."""
        if answer.status in (200, 201):
            return ""
        head, found, message = answer.message.partition(" denied request: ")
        assert found, answer.message
        assert "ValidatingAdmissionPolicy" in head
        return message

    def wait_until_denied(self, body, until_s):
        while not self.verdict(self.create(body)):
            assert time.monotonic() < until_s, f"admitted for too long: {body['metadata']}"
            time.sleep(0.2)

    def _collection(self, body):
        return self._api.path_of(body).rpartition("/")[0]


@pytest.fixture(scope="module")
def server(control_plane, policies):
    """Apply every policy as it is, bind it, and wait until each denies its first failing example."""
    control_plane.create_namespace(NAMESPACE)
    server = Server(control_plane.api())
    control_plane.create_namespace("shop")
    for name in ("default", "shop", NAMESPACE):
        for account in ("default", "web"):
            body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": name}}
            server.create(body, dry_run=False)  # one of them exists already
    for policy in policies:
        server.expect(policy.body)
        server.expect(binding(policy))
    until_s = time.monotonic() + ACTIVE_S
    for policy in policies:
        server.wait_until_denied(judged_by(policy, placed(policy.examples("fail")[0].body)), until_s)
    return server


# the first of them waits for all policies to become active
@pytest.mark.timeout(300)
@pytest.mark.controlplane
def test_policy_when_its_examples_are_created_then_the_server_says_the_same(policy, server):
    for example in policy.examples():
        body = judged_by(policy, placed(example.body))
        said = server.verdict(server.create(body))
        assert (example.group, example.name, policy.judge(body)) == (example.group, example.name, said)


@pytest.mark.timeout(300)
@pytest.mark.controlplane
@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        pytest.param(
            "privileged-container",
            {"securityContext": {"privileged": True}},
            "Privileged containers: debug. Remove securityContext.privileged; add the single capability that is needed.",
            id="privileged",
        ),
        pytest.param("privileged-container", {"securityContext": {"privileged": False}}, "", id="not-privileged"),
        pytest.param(
            "dangerous-capability",
            {"securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}},
            "Dangerous capabilities are added: debug (SYS_PTRACE). Remove them from securityContext.capabilities.add.",
            id="capability",
        ),
        pytest.param(
            "latest-image-tag",
            {"image": "registry.example/tools/debug"},
            "Images without a fixed version: debug (registry.example/tools/debug). Name a version's tag or a digest.",
            id="image",
        ),
    ],
)
def test_policy_when_an_ephemeral_container_is_added_then_it_is_judged(
    name, container, expected, policies, server, request
):
    (policy,) = [one for one in policies if one.id == name]
    pod = next(one.body for one in policy.examples("pass") if one.body["kind"] == "Pod")
    pod = judged_by(policy, placed(pod))
    pod["metadata"]["name"] = request.node.callspec.id
    stored = server.expect(pod)
    debug = {"name": "debug", "image": "registry.example/tools/debug:1.0", **container}
    stored["spec"]["ephemeralContainers"] = [debug]
    assert expected == policy.judge(stored)
    assert expected == server.verdict(server.put(stored, "ephemeralcontainers"))


@pytest.mark.timeout(300)
@pytest.mark.controlplane
def test_registries_when_given_as_parameter_then_the_server_says_the_same(registry_case, policies, server, request):
    registries, image, is_admitted = registry_case
    (policy,) = [one for one in policies if one.id == "untrusted-registry"]
    name = f"registries-{request.node.callspec.id}"
    metadata = {"name": name, "namespace": NAMESPACE}
    server.expect({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"registries": registries}})
    server.expect(binding(policy, name=name, params=name))
    body = placed(next(example.body for example in policy.examples("pass") if example.body["kind"] == "Pod"))
    body["metadata"]["labels"] = {LABEL: name}
    body["spec"]["containers"][0]["image"] = "nowhere.example/web:1"
    server.wait_until_denied(body, time.monotonic() + ACTIVE_S)
    body["spec"]["containers"][0]["image"] = image
    said = server.verdict(server.create(body))
    assert (is_admitted, policy.judge(body, {"data": {"registries": registries}})) == (said == "", said)


@pytest.mark.controlplane
def test_policies_when_applied_with_kubectl_then_it_takes_them_without_a_warning(policies, control_plane, kubectl):
    files = [part for policy in policies for part in ("-f", str(policy.folder / "policy.yaml"))]
    command = [kubectl, "--kubeconfig", control_plane.kubeconfig(), "apply", "--server-side", "--force-conflicts"]
    command += ["--dry-run=server", "-o", "name", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (0, "") == (done.returncode, done.stderr)
    kind = "validatingadmissionpolicy.admissionregistration.k8s.io"
    assert [f"{kind}/{policy.id}" for policy in policies] == done.stdout.split()


@pytest.mark.timeout(300)
@pytest.mark.controlplane
def test_policies_when_the_controller_checks_types_then_it_has_nothing_to_say(policies, controllers):
    api = controllers.control_plane.api()
    for policy in policies:
        api.expect("POST", COLLECTION, policy.body)
    until_s = time.monotonic() + ACTIVE_S
    found = []
    while not found or not all("typeChecking" in one.get("status", {}) for one in found):
        assert time.monotonic() < until_s
        time.sleep(0.5)
        found = api.expect("GET", COLLECTION)["items"]
    warnings = {one["metadata"]["name"]: one["status"]["typeChecking"].get("expressionWarnings", []) for one in found}
    for policy in policies:
        api.expect("DELETE", f"{COLLECTION}/{policy.id}")
    assert {} == {name: said for name, said in warnings.items() if said}
