"""What a chart makes anew in each run: the same value wherever it is only looked at, and the chart's own where it is applied."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.render import Options, render
from gitops_guard.render.made_anew import PLACEHOLDER, settled
from gitops_guard.render.output import Piece
from gitops_guard.repo.memory import MemoryTree

CHART = {"chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "chart/values.yaml": "size: 1\n"}
SECRET = """apiVersion: v1
kind: Secret
metadata:
  name: web-{{ randAlphaNum 5 | lower }}-login
data:
  fixed: {{ "fixed" | b64enc }}
  password: {{ randAlphaNum 6 | b64enc }}
  key: {{ genPrivateKey "ecdsa" | b64enc }}
stringData:
  token: {{ uuidv4 }}
"""
SIZE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: size}\ndata: {size: '{{ .Values.size }}'}\n"


@pytest.fixture
def looking(helm: Path) -> Options:
    return Options(environment={"PATH": str(helm.parent)}, kubernetes_version="1.36", settles=True)


def bodies(files: dict[str, str], options: Options) -> dict[str, Any]:
    tree = MemoryTree({path: text.encode() for path, text in files.items()})
    (unit,) = render(tree, options).units
    assert () == unit.errors
    return {one.resource.id.kind: one.resource.body for one in unit.objects}


def test_render_when_only_looked_at_then_what_is_made_anew_is_always_the_same(looking):
    files = {**CHART, "chart/templates/secret.yaml": SECRET, "chart/templates/size.yaml": SIZE}

    first, second = bodies(files, looking), bodies(files, looking)

    secret = first["Secret"]
    assert first == second
    assert f"web-{PLACEHOLDER}-login" == secret["metadata"]["name"]
    assert PLACEHOLDER in secret["stringData"]["token"]
    decoded = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert {"fixed": "fixed", "password": PLACEHOLDER, "key": PLACEHOLDER} == decoded
    assert {"size": "1"} == first["ConfigMap"]["data"]


def test_render_when_it_is_for_applying_then_a_random_password_is_one(looking):
    files = {**CHART, "chart/templates/secret.yaml": SECRET}

    first, second = (bodies(files, replace(looking, settles=False))["Secret"] for _ in range(2))

    assert PLACEHOLDER not in json.dumps(first)
    assert first["data"]["password"] != second["data"]["password"]


def test_render_when_remembered_for_looking_then_applying_does_not_get_that(looking, tmp_path):
    files = {**CHART, "chart/templates/secret.yaml": SECRET}
    caching = replace(looking, cache_dir=str(tmp_path))

    looked = bodies(files, caching)["Secret"]
    applied = bodies(files, replace(caching, settles=False))["Secret"]

    assert PLACEHOLDER in looked["metadata"]["name"]
    assert PLACEHOLDER not in json.dumps(applied)


def piece(**body: Any) -> Piece:
    return Piece(text="", body={"apiVersion": "v1", "kind": "ConfigMap", **body}, origin="map.yaml")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param("web-a1", "web-b2", f"web-{PLACEHOLDER}", id="name"),
        pytest.param("a1b2", "c3", PLACEHOLDER, id="one-word"),
        pytest.param("a-b", "a.b", PLACEHOLDER, id="another-form"),
        pytest.param("2026-11-25 17:00:01", "2026-11-25 17:00:02", PLACEHOLDER, id="time"),
        pytest.param(8080, 9090, 1, id="number"),
        pytest.param(True, False, True, id="neither"),
        pytest.param(["a"], ["b"], [PLACEHOLDER], id="list"),
        pytest.param(["a"], ["b", "c"], ["a"], id="another-length"),
        pytest.param({"a": "x", "b": "y"}, {"a": "z"}, {"a": PLACEHOLDER, "b": "y"}, id="another-key"),
        pytest.param("same", "same", "same", id="same"),
        pytest.param("A" * 400, "B" * 400, base64.b64encode(PLACEHOLDER.encode()).decode(), id="certificate"),
    ],
)
def test_settled_when_two_runs_differ_then_a_placeholder_of_the_same_form_stands(one, other, expected):
    (found,) = settled([piece(data=one)], [piece(data=other)])

    assert expected == found.body["data"]


def test_settled_when_the_other_run_has_other_objects_then_nothing_is_changed():
    first = [piece(data="a")]

    assert first == settled(first, [piece(data="b"), piece(data="c")])


def test_settled_when_names_change_the_order_then_objects_of_a_template_are_compared():
    one = [piece(metadata={"name": "b"}), replace(piece(metadata={"name": "c"}), origin="other.yaml")]

    found = settled(one, [replace(piece(metadata={"name": "a"}), origin="other.yaml"), piece(metadata={"name": "d"})])

    assert [PLACEHOLDER, PLACEHOLDER] == [two.body["metadata"]["name"] for two in found]
