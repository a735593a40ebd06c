"""Waiver documents: what is read from them, what is refused with its line, and that the shipped schema agrees."""

import json
from dataclasses import fields
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from gitops_guard.config.model import Waiver
from gitops_guard.config.waivers import WaiverFile, read_waivers

SCHEMA: dict[str, Any] = json.loads(files("gitops_guard").joinpath("waiver.schema.json").read_text("utf-8"))
HEAD = "apiVersion: gitops-guard.io/v1\nkind: Waiver\nmetadata: {name: agent}\nspec:\n"
MINIMAL = f"{HEAD}  rules: [host-pid]\n  reason: watches processes\n"
WHOLE = f"""{MINIMAL}  owner: team-a
  expires: 2027-06-30
  match:
    kinds: [DaemonSet.apps]
    namespaces: [mon-*]
    names: [agent-*]
    labels: {{app: agent}}
    paths: [infra/]
  containers: [agent]
  fields: [spec.template]
"""


def read(text: str) -> WaiverFile:
    return read_waivers(text.encode(), "w.yaml")


def test_waiver_when_it_says_everything_then_all_is_read() -> None:
    assert read(WHOLE) == (
        (
            Waiver(
                name="agent",
                rules=("host-pid",),
                reason="watches processes",
                owner="team-a",
                expires="2027-06-30",
                kinds=("DaemonSet.apps",),
                namespaces=("mon-*",),
                names=("agent-*",),
                labels={"app": "agent"},
                paths=("infra/",),
                containers=("agent",),
                fields=("spec.template",),
                path="w.yaml",
                line=1,
            ),
        ),
        (),
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param(MINIMAL + "  owners: a\n", 7, 'unknown key "owners" in spec; did you mean "owner"?', id="unknown key"),
        pytest.param(MINIMAL.replace("[host-pid]", "host-pid"), 5, "spec.rules must be a list, not text", id="rules is text"),
        pytest.param(MINIMAL.replace("host-pid", "'[a'"), 5, "unclosed bracket", id="bad glob"),
        pytest.param(MINIMAL.replace("[host-pid]", "[]"), 5, 'spec must have "rules" with at least one id', id="no rules"),
        pytest.param(MINIMAL + "  expires: soon\n", 7, "spec.expires must be a day such as 2027-01-31", id="no day"),
        pytest.param(MINIMAL + "  expires: 2027-02-30\n", 7, "spec.expires must be a day such as 2027-01-31", id="no day of the calendar"),
        pytest.param(MINIMAL.replace("watches processes", "7"), 6, "spec.reason must be text, not the number 7", id="reason is a number"),
        pytest.param(MINIMAL.replace("watches processes", '" "'), 6, "spec.reason must not be empty", id="reason is blank"),
        pytest.param(MINIMAL.replace("io/v1", "io/v2"), 1, "apiVersion must be one of gitops-guard.io/v1", id="version"),
        pytest.param(MINIMAL.replace("{name: agent}", "{}"), 3, 'metadata must have "name"', id="no name"),
        pytest.param(HEAD.replace("spec:\n", ""), 1, 'a waiver must have "spec"', id="no spec"),
        pytest.param(MINIMAL + "  match: {labels: {app: 1}}\n", 7, "spec.match.labels.app must be text", id="label is a number"),
        pytest.param(MINIMAL + "  match: {kind: [A]}\n", 7, 'unknown key "kind" in spec.match', id="unknown selector"),
    ],
)  # fmt: skip
def test_waiver_when_it_is_wrong_then_the_error_has_its_line_and_hides_no_other(
    text: str, line: int, message: str
) -> None:
    found = read(f"{text}---\n{MINIMAL}")
    (error,) = found.errors
    assert (["agent"], line) == ([waiver.name for waiver in found.waivers], error.line)
    assert message in error.message


@pytest.mark.parametrize(
    ("text", "waivers", "errors"),
    [
        pytest.param(f"apiVersion: v1\nkind: Waiver\n---\n{MINIMAL}---\n[gitops-guard.io, Waiver]\n", 1, 0, id="others beside it"),
        pytest.param(f"{MINIMAL}---\n{MINIMAL}", 2, 0, id="two"),
        pytest.param(json.dumps(yaml.safe_load(MINIMAL)), 1, 0, id="json"),
        pytest.param(f"{MINIMAL}---\n{{\n", 0, 1, id="no yaml"),
        pytest.param("a: " + "[" * 500 + "]" * 500, 0, 1, id="too deep"),
        pytest.param("a: &a [1]\nb: &b [" + ", ".join(["*a"] * 50) + "]\n", 0, 0, id="aliases"),
        pytest.param("", 0, 0, id="empty"),
    ],
)  # fmt: skip
def test_waivers_when_a_file_holds_more_then_only_they_are_read(text: str, waivers: int, errors: int) -> None:
    found = read(text)
    assert (waivers, errors) == (len(found.waivers), len(found.errors))


@pytest.mark.parametrize("text", [MINIMAL, WHOLE.replace("2027-06-30", "'2027-06-30'")], ids=["minimal", "whole"])
def test_schema_when_a_waiver_is_read_then_takes_it_too(text: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(text))


def test_schema_when_compared_with_the_dataclass_then_keys_agree() -> None:
    spec = SCHEMA["properties"]["spec"]["properties"]
    keys = {*spec, *spec["match"]["properties"]} - {"match"}
    assert keys == {one.name for one in fields(Waiver)} - {"name", "path", "line"}
