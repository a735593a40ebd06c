"""GitHub's double, and what our adapter asks of it, held against GitHub's own description of its API.

The description comes as an npm package of GitHub's, is fetched once into the user's cache, and is not ours to commit.
"""

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from controlplane.binaries import cache_directory
from forge import contract
from forge.double import TOKEN
from jsonschema import Draft202012Validator

from gitops_guard.forge.github_app import installation_token

PACKAGE = "@octokit/openapi@23.0.2"
MEMBER = "package/generated/api.github.com.json"
KEY = "octokit-openapi-23.0.2"
pytestmark = pytest.mark.controlplane


@pytest.fixture(scope="module")
def description():
    kept = cache_directory().parent / "descriptions" / f"{KEY}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=kept.parent, check=True, timeout=110, stdout=subprocess.DEVNULL
        )
        (packed,) = kept.parent.glob("octokit-openapi-*.tgz")
        with tarfile.open(packed) as archive:
            found = archive.extractfile(MEMBER)
            assert found is not None
            temporary = kept.with_suffix(f".{os.getpid()}")
            temporary.write_bytes(found.read())
        temporary.replace(kept)
        Path(packed).unlink()
    return json.loads(kept.read_text(encoding="utf-8"))


def resolved(description, node):
    while "$ref" in node:
        target = description
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def problems(description, schema, value, *, partial=False):
    whole = {**resolved(description, schema), "components": description["components"]}
    return [
        f"{list(error.absolute_path)}: {error.validator}: {error.message[:120]}"
        for error in Draft202012Validator(whole).iter_errors(value)
        if not (partial and error.validator in ("required", "anyOf", "oneOf"))
        and not (error.instance is None and error.schema.get("nullable"))  # a word of OpenAPI 3.0, not of JSON Schema
    ]


def body_schema(description, operation):
    content = resolved(description, operation.get("requestBody", {})).get("content", {})
    return content.get("application/json", {}).get("schema")


def answer_schema(description, operation, status):
    content = resolved(description, operation["responses"].get(str(status), {})).get("content", {})
    return content.get("application/json", {}).get("schema")


class Bench:
    """The contract's bench on GitHub's double."""

    def __init__(self, forge, host):
        self.forge, self._host = forge, host

    def stranger_writes(self, body):
        return self._host.add_comment(7, body, {"id": 666, "login": "mallory"})["id"]

    def move_head(self, head):
        self._host.pulls[7].update(head=head)

    def close(self):
        self._host.pulls[7].update(state="closed")


@pytest.mark.parametrize("case", contract.CASES, ids=lambda case: case.__name__)
def test_github_when_the_contract_is_run_then_every_call_and_answer_is_as_described(
    on_github, github, description, case
):
    case(Bench(on_github, github.host))
    check_calls(description, github.host.calls)


def test_github_when_an_app_signs_in_then_every_call_is_as_described(github, waits, description):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    assert (
        TOKEN
        == installation_token("acme/shop", client_id="x", private_key=pem, api=github.address, clock=waits.clock())[0]
    )
    check_calls(description, github.host.calls)


def check_calls(description, calls):
    assert calls
    wrong = []
    for method, template, query, body, status, answer in calls:
        operation = description["paths"][template][method.lower()]
        schema = body_schema(description, operation)
        if body is not None:
            wrong += [f"{method} {template} body {one}" for one in problems(description, schema, body)]
            known = resolved(description, schema).get("properties", {})
            wrong += [f"{method} {template} sends {key}" for key in body if known and key not in known]
        names = {resolved(description, one)["name"] for one in operation.get("parameters", [])}
        wrong += [f"{method} {template} asks for {key}" for key in query if key not in names]
        described = answer_schema(description, operation, status)
        if described is not None and answer is not None:
            wrong += [
                f"{method} {template} answers {one}" for one in problems(description, described, answer, partial=True)
            ]
        if status < 400 and str(status) not in operation["responses"]:
            wrong.append(f"{method} {template} ends with {status}")
    assert [] == wrong
