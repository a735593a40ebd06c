"""Ask the real API server about the cases."""

import re
from collections.abc import Iterable
from typing import Any

from controlplane.api import Answer, Api, wait_for
from policy.cases import DEFINITION, NAMESPACES, Body, Case

_DENIED = re.compile(r"ValidatingAdmissionPolicy '[^']*'(?: with binding '[^']*')? denied request: (.*)", re.DOTALL)
_WARNED = re.compile(
    r"299 - \"Validation failed for ValidatingAdmissionPolicy '[^']*' with binding '[^']*': ((?:[^\"\\]|\\.)*)\""
)


def ask(api: Api, cases: Iterable[Case]) -> dict[str, Any]:
    """Install all policies, send all requests as dry runs, and return the answers by case."""
    cases = list(cases)
    for body in [*NAMESPACES, DEFINITION, *(body for case in cases for body in case.existing)]:
        api.expect("POST", *_posted(api, body))
    wait_for(lambda: api.request("GET", "/apis/policy.example.com/v2").status == 200, what="the custom resource")
    answers: dict[str, Any] = {}
    for case in cases:
        answer = api.create(case.policy)
        if case.is_refused:
            answers[case.name] = {"status": answer.status, "causes": [cause["message"] for cause in answer.causes]}
            continue
        assert answer.status == 201, (case.name, answer.message)
        for binding in case.bindings:
            api.expect("POST", *_posted(api, binding))
    _wait_until_active(api)
    for case in cases:
        if not case.is_refused:
            answers[case.name] = [_verdict(_send(api, *request)) for request in case.requests]
    return answers


def _posted(api: Api, body: Body) -> tuple[str, Body]:
    return api.path_of(body).rpartition("/")[0], body


def _wait_until_active(api: Api) -> None:
    """Policies take effect together, in the order of their creation: the last one's effect is everybody's."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    spec = {
        "matchConstraints": {"resourceRules": [{**rule, "resourceNames": ["are-all-active"]}]},
        "validations": [{"expression": "false"}],
    }
    group, name = "admissionregistration.k8s.io/v1", {"name": "are-all-active"}
    for kind, content in (
        ("ValidatingAdmissionPolicy", spec),
        ("ValidatingAdmissionPolicyBinding", {"policyName": "are-all-active", "validationActions": ["Deny"]}),
    ):
        api.expect("POST", *_posted(api, {"apiVersion": group, "kind": kind, "metadata": name, "spec": content}))
    probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**name, "namespace": "policy-test"}}
    wait_for(lambda: api.create(probe, dryRun="All").status == 422, what="the policies")


def _send(api: Api, operation: str, body: Body) -> Answer:
    path, query = api.path_of(body), {"dryRun": "All"}
    if operation == "create":
        # another name than the object's that is there already, where a case has one
        return api.request("POST", path.rpartition("/")[0], body, query=query)
    return api.request(
        "PUT" if operation == "update" else "DELETE", path, body if operation == "update" else None, query=query
    )


def _verdict(answer: Answer) -> Body:
    denied = [match[1] for cause in answer.causes if (match := _DENIED.search(cause["message"]))]
    if not denied and (match := _DENIED.search(answer.message)):
        denied = [match[1]]
    assert denied or answer.status in (200, 201, 409), (answer.status, answer.message)
    warned = [text.replace('\\"', '"') for text in _WARNED.findall(answer.headers.get("warning", ""))]
    return {"denied": sorted(denied), "warned": sorted(warned)}
