"""Requests and what the real API server answered: run a scenario, make it comparable, keep it as JSON.

A recording is the same, byte for byte, whenever it is made: uids, resource versions and times are numbered or fixed, but two values
are equal in the recording if and only if the server's were.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from controlplane.api import Answer, Api, Body, Credentials, wait_for
from controlplane.server import ADMIN, ControlPlane

RECORDINGS = Path(__file__).with_name("recordings")
NAMESPACE = "recorded"
"""What stands in a recording for the namespace that the scenario ran in, and in scenarios for the one it is to run in."""
NOBODY = "nobody"
"""Sends a token that the server does not know."""

_SENT_VERSIONS = 10
"""Resource versions below it are a scenario's own."""
_LIST_VERSION = 10**9
"""Of each list: later than any object in it."""
_KEPT_HEADERS = ("content-type", "retry-after", "warning", "allow")
_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_VERSION = re.compile(r'("resourceVersion": "|ResourceVersion in record \()(\d+)')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of a scenario."""

    method: str
    path: str
    """With the namespace "recorded", "/api/v1/namespaces/recorded/configmaps"."""
    query: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: Body | Callable[[Sequence[Answer]], Body] | None = None
    """The JSON body, or a function that makes it from the answers so far."""
    user: str = ADMIN
    until: int = 0
    """Repeat it until this status is answered, which alone is recorded; 0 sends it once."""
    is_recorded: bool = True
    """False for what only prepares the scenario."""


Exchange = dict[str, Any]


def run(plane: ControlPlane, namespace: str, steps: Sequence[Step]) -> list[Exchange]:
    """Run a scenario in a namespace that exists and is empty; return its exchanges as they are recorded."""
    apis = {user: plane.api(user) for user in {step.user for step in steps} - {NOBODY}}
    nobody = Credentials(user=NOBODY, token="unknown")  # noqa: S106  no secret: a token that is wrong on purpose
    apis[NOBODY] = Api(plane.port, plane.authority.certificate, nobody)
    answers: list[Answer] = []
    exchanges = []
    for step in steps:
        request = _request(step, namespace, answers)
        answer = _send(apis[step.user], request, step.until)
        answers.append(answer)
        if step.is_recorded:
            exchanges.append({"request": request, "response": _response(answer)})
    for api in apis.values():
        api.close()
    return normalise(exchanges, namespace)


def normalise(exchanges: list[Exchange], namespace: str) -> list[Exchange]:
    """Replace what differs from run to run, keeping equal what was equal and resource versions in their order."""
    text = json.dumps([_without_list_version(exchange) for exchange in exchanges]).replace(namespace, NAMESPACE)
    text = _TIME.sub("2026-01-01T00:00:00Z", text)
    uids = {
        uid: f"00000000-0000-4000-8000-{number:012}" for number, uid in enumerate(dict.fromkeys(_UID.findall(text)), 1)
    }
    text = _UID.sub(lambda found: uids[found[0]], text)
    # those that a scenario sends itself, such as a stale "1", are below any that a server gives out
    fixed = {*range(_SENT_VERSIONS), _LIST_VERSION}
    versions = sorted({int(found[2]) for found in _VERSION.finditer(text)} - fixed)
    numbers = {version: _SENT_VERSIONS * 10 + number for number, version in enumerate(versions)}
    text = _VERSION.sub(lambda found: f"{found[1]}{numbers.get(int(found[2]), int(found[2]))}", text)
    return list(json.loads(text))


def _without_list_version(exchange: Exchange) -> Exchange:
    """Fix a list's own resourceVersion: it counts all writes of the server, also those of others in the meantime."""
    body = exchange["response"]["body"]
    if not isinstance(body, dict) or not body.get("kind", "").endswith("List"):
        return exchange
    listed = {**body, "metadata": {**body["metadata"], "resourceVersion": str(_LIST_VERSION)}}
    return {**exchange, "response": {**exchange["response"], "body": listed}}


def save(name: str, content: Body) -> Path:
    """Write a recording; return its path."""
    RECORDINGS.mkdir(exist_ok=True)
    path = RECORDINGS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def load(name: str) -> Any:
    """Read a recording."""
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))


def _request(step: Step, namespace: str, answers: Sequence[Answer]) -> Body:
    body = step.body(answers) if callable(step.body) else step.body
    request = {
        "method": step.method,
        "path": step.path,
        "query": dict(step.query),
        "headers": dict(step.headers),
        "body": body,
        "user": step.user,
    }
    replaced: Body = json.loads(json.dumps(request).replace(NAMESPACE, namespace))
    return replaced


def _send(api: Api, request: Body, until: int) -> Answer:
    def send() -> Answer:
        return api.request(
            request["method"], request["path"], request["body"], query=request["query"], headers=request["headers"]
        )

    if not until:
        return send()
    wanted: Answer = wait_for(
        lambda: _with_status(send(), until), what=f"{request['method']} {request['path']} -> {until}"
    )
    return wanted


def _with_status(answer: Answer, status: int) -> Answer | None:
    return answer if answer.status == status else None


def _response(answer: Answer) -> Body:
    kept = {name: value for name, value in answer.headers.items() if name in _KEPT_HEADERS}
    return {"status": answer.status, "headers": kept, "body": answer.body}
