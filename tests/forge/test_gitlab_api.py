"""GitLab's double, and what our adapter asks of it, held against GitLab's own description of its API.

The facts are taken from `doc/api/openapi/openapi_v2.yaml` of GitLab (API v4, GitLab 18.9) where it describes an operation, which are
those on statuses, and from its pages on merge requests, notes and users for the others, which it does not describe.
"""

import pytest
from forge import contract
from forge.double import Fault
from jsonschema import Draft202012Validator

from gitops_guard.forge.host import State, Status

PAGED = {"page", "per_page"}
TEXT = {"type": "string"}
NOTE = {
    "type": "object",
    "required": ["body"],
    "properties": {"body": {"type": "string", "minLength": 1, "maxLength": 1_000_000}},
}
STATUS = {
    "type": "object",
    "required": ["state"],
    "additionalProperties": False,
    "properties": {
        "state": {"enum": ["pending", "running", "success", "failed", "canceled", "skipped"]},
        "ref": TEXT,
        "target_url": {"type": "string", "maxLength": 255},
        "description": {"type": "string", "maxLength": 255},
        "name": TEXT,
        "context": TEXT,
        "coverage": {"type": "number"},
        "pipeline_id": {"type": "integer"},
    },
}
OPERATIONS = {
    # method and path: queries, body, statuses that are described
    "GET /user": (set(), None, {200, 401}),
    "GET /projects/{id}/merge_requests/{merge_request_iid}": (set(), None, {200, 401, 403, 404}),
    "GET /projects/{id}/merge_requests/{merge_request_iid}/notes": (
        {*PAGED, "sort", "order_by"},
        None,
        {200, 401, 403, 404},
    ),
    "POST /projects/{id}/merge_requests/{merge_request_iid}/notes": (set(), NOTE, {201, 400, 401, 403, 404}),
    "PUT /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}": (set(), NOTE, {200, 400, 401, 403, 404}),
    "DELETE /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}": (set(), None, {204, 401, 403, 404}),
    "POST /projects/{id}/statuses/{sha}": (set(), STATUS, {200, 201, 400, 401, 403, 404, 409}),
    "GET /projects/{id}/repository/commits/{sha}/statuses": (
        {*PAGED, "ref", "stage", "name", "pipeline_id", "all", "order_by", "sort"},
        None,
        {200, 401, 403, 404},
    ),
}
HEAD = "a" * 40


class Bench:
    """The contract's bench on GitLab's double."""

    def __init__(self, forge, host):
        self.forge, self._host = forge, host

    def stranger_writes(self, body):
        return self._host.add_comment(7, body, {"id": 666, "login": "mallory"})["id"]

    def move_head(self, head):
        self._host.pulls[7].update(head=head)

    def close(self):
        self._host.pulls[7].update(state="closed")


def wrong_calls(calls):
    wrong = []
    for method, template, query, body, status, _answer in calls:
        queries, schema, statuses = OPERATIONS[f"{method} {template}"]
        wrong += [f"{method} {template} asks for {key}" for key in query if key not in queries]
        wrong += [f"{method} {template} ends with {status}"] if status not in statuses else []
        if (schema is None) != (body is None):
            wrong.append(f"{method} {template} has a body, or none")
        elif schema is not None:
            wrong += [
                f"{method} {template} body {error.message}" for error in Draft202012Validator(schema).iter_errors(body)
            ]
    return wrong


@pytest.mark.parametrize("case", contract.CASES, ids=lambda case: case.__name__)
def test_gitlab_when_the_contract_is_run_then_every_call_is_as_described(on_gitlab, gitlab, case):
    case(Bench(on_gitlab, gitlab.host))

    assert gitlab.host.calls
    assert [] == wrong_calls(gitlab.host.calls)


@pytest.mark.parametrize("state", list(State))
def test_status_when_of_any_state_then_gitlab_knows_it(on_gitlab, gitlab, state):
    on_gitlab.set_status(HEAD, Status(state=state, context="guard", description="d", url="https://ci.example/1"))

    assert [] == wrong_calls(gitlab.host.calls)


def test_status_when_another_update_is_in_progress_then_it_is_sent_again(on_gitlab, gitlab, waits):
    gitlab.host.faults = [Fault(status=409, only="POST"), Fault(status=409, only="POST")]

    on_gitlab.set_status(HEAD, Status(state=State.SUCCESS, context="guard", description="d"))

    assert ["success"] == [one["state"] for one in gitlab.host.statuses]
