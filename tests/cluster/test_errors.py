"""Error answers -> classes: the rows of the table that the client obeys, with the texts of a real kube-apiserver."""

import pytest

from gitops_guard.cluster.errors import Cause, ErrorClass, Refusal, classify, read_refusal


def refusal(
    status: int, message: str = "", reason: str = "", causes: tuple[Cause, ...] = (), *, text: bool = False
) -> Refusal:
    return Refusal(status=status, reason=reason, message=message, causes=causes, is_status=not text)


def cause(reason: str) -> tuple[Cause, ...]:
    return (Cause(reason=reason, field=".spec.replicas", message='conflict with "kubectl"'),)


RBAC = 'deployments.apps "web" is forbidden: User "u" cannot patch resource "deployments" in API group "apps"'


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(refusal(400, 'admission webhook "a.b" does not support dry run'), ErrorClass.NOT_DRY_RUNNABLE, id="webhook without dry-run"),
        pytest.param(refusal(400, "the object does not fit"), ErrorClass.BAD_REQUEST, id="bad request"),
        pytest.param(refusal(400, 'admission webhook "a.b" denied the request: no'), ErrorClass.DENIED, id="webhook denies with 400"),
        pytest.param(refusal(500, 'admission webhook "a.b" denied the request: no'), ErrorClass.DENIED, id="webhook denies with 500"),
        pytest.param(refusal(422, "x is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"), ErrorClass.DENIED, id="policy"),
        pytest.param(refusal(500, "failed to create typed patch object (a/b; apps/v1, Kind=Deployment): .spec.x: field not declared in schema"), ErrorClass.WRONG_OBJECT, id="final 500"),
        pytest.param(refusal(500, 'Internal error occurred: failed calling webhook "a.b": refused', "InternalError"), ErrorClass.WEBHOOK_DOWN, id="webhook down"),
        pytest.param(refusal(500, "etcdserver: leader changed"), ErrorClass.OVERLOADED, id="new leader"),
        pytest.param(refusal(504, "timed out", "Timeout"), ErrorClass.OVERLOADED, id="timeout"),
        pytest.param(refusal(500, "boom", "InternalError"), ErrorClass.SERVER_ERROR, id="other 500"),
        pytest.param(refusal(502, "<html>", text=True), ErrorClass.SERVER_ERROR, id="gateway"),
        pytest.param(refusal(503, "apiserver is shutting down"), ErrorClass.OVERLOADED, id="503"),
        pytest.param(refusal(429, "Too many requests, please try again later.", text=True), ErrorClass.OVERLOADED, id="429 as text"),
        pytest.param(refusal(401, "Unauthorized", "Unauthorized"), ErrorClass.UNAUTHENTICATED, id="401"),
        pytest.param(refusal(403, "is being terminated", "Forbidden", cause("NamespaceTerminating")), ErrorClass.TERMINATING, id="terminating"),
        pytest.param(refusal(403, 'pods "a" is forbidden: exceeded quota: q, requested: pods=1', "Forbidden"), ErrorClass.QUOTA, id="quota"),
        pytest.param(refusal(403, RBAC, "Forbidden"), ErrorClass.FORBIDDEN, id="no right"),
        pytest.param(refusal(403, 'pods "a" is forbidden: violates PodSecurity "restricted:latest"', "Forbidden"), ErrorClass.DENIED, id="pod security"),
        pytest.param(refusal(404, "404 page not found", text=True), ErrorClass.NOT_SERVED, id="path not served"),
        pytest.param(refusal(404, 'namespaces "shop" not found', "NotFound"), ErrorClass.NO_NAMESPACE, id="no namespace"),
        pytest.param(refusal(404, 'configmaps "namespaces" not found', "NotFound"), ErrorClass.NOT_FOUND, id="no object"),
        pytest.param(refusal(405, "not allowed", "MethodNotAllowed"), ErrorClass.UNSUPPORTED, id="405"),
        pytest.param(refusal(415, "not supported", "UnsupportedMediaType"), ErrorClass.UNSUPPORTED, id="415"),
        pytest.param(refusal(409, "Apply failed with 1 conflict", "Conflict", cause("FieldManagerConflict")), ErrorClass.CONFLICT, id="conflict"),
        pytest.param(refusal(409, 'configmaps "a" already exists', "AlreadyExists"), ErrorClass.ALREADY_EXISTS, id="exists"),
        pytest.param(refusal(409, "Precondition failed: UID in precondition: a, UID in object meta: b", "Conflict"), ErrorClass.CHANGED, id="other uid"),
        pytest.param(refusal(409, 'Operation cannot be fulfilled on resourcequotas "q": the object has been modified', "Conflict"), ErrorClass.RACE, id="quota race"),
        pytest.param(refusal(410, "too old resource version", "Expired"), ErrorClass.EXPIRED, id="410"),
        pytest.param(refusal(413, "limit is 3145728", text=True), ErrorClass.TOO_LARGE, id="413"),
        pytest.param(refusal(422, "field is immutable", "Invalid"), ErrorClass.INVALID, id="422"),
        pytest.param(refusal(301, "moved", text=True), ErrorClass.BAD_REQUEST, id="a redirect is not followed"),
    ],
)  # fmt: skip
def test_class_when_answered_then_status_reason_and_body_decide(given: Refusal, expected: ErrorClass) -> None:
    assert expected == classify(given, is_dry_run=True)


def test_class_when_the_connection_was_lost_just_now_then_a_missing_right_may_pass() -> None:
    assert classify(refusal(403, RBAC), is_unstable=True) is ErrorClass.UNSETTLED


def test_class_when_no_dry_run_was_asked_for_then_the_webhook_is_just_bad() -> None:
    assert classify(refusal(400, 'admission webhook "a.b" does not support dry run')) is ErrorClass.BAD_REQUEST


def test_refusal_when_the_body_is_hostile_then_it_is_still_read() -> None:
    body = {
        "kind": "Status",
        "reason": 3,
        "message": ["x"],
        "details": {"causes": [None, {"field": 1}, {"field": "a"}]},
    }
    read = read_refusal(422, body, "")  # type: ignore[arg-type]  # hostile on purpose
    assert ("", "", ["", "", "a"]) == (read.reason, read.message, [one.field for one in read.causes])


def test_refusal_when_the_message_is_endless_then_it_is_cut() -> None:
    assert len(read_refusal(500, {}, "x" * 100_000).message) == 4096
