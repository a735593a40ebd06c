"""The clean path's check: certain or silent, and light."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.errors import SchemaError
from gitops_guard.schema.plain import PlainSchemas

HEAVY = {
    "dataclasses",
    "typing",
    "pathlib",
    "enum",
    "jsonschema",
    "kubernetes_validate",
    "gitops_guard.model",
    "hashlib",
    "subprocess",
    "yaml",
}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> PlainSchemas:
    return PlainSchemas("1.37", (str(tmp_path_factory.mktemp("plain")), bytes(32)))


def test_is_clean_of_a_valid_document_is_true_from_every_start(tmp_path: Path, deployment: dict[str, Any]) -> None:
    built, cached, memory = (
        PlainSchemas("1.37", place) for place in ((str(tmp_path), bytes(32)), (str(tmp_path), bytes(32)), None)
    )
    assert [True, True, True] == [schemas.is_clean(deployment) for schemas in (built, cached, memory)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="null"),
        pytest.param([], id="list"),
        pytest.param("text", id="text"),
        pytest.param({}, id="empty"),
        pytest.param({"apiVersion": "v1"}, id="no kind"),
        pytest.param({"kind": "Pod"}, id="no apiVersion"),
        pytest.param({"apiVersion": "v1", "kind": None}, id="null kind"),
        pytest.param({"apiVersion": "v1", "kind": ["Pod"]}, id="list kind"),
        pytest.param({"apiVersion": {}, "kind": "Pod"}, id="mapping apiVersion"),
        pytest.param({"apiVersion": 1, "kind": True}, id="number and boolean"),
        pytest.param({"apiVersion": "v1", "kind": "../../x"}, id="path"),
        pytest.param({"apiVersion": "v1", "kind": "x" * 100_000}, id="very long"),
        pytest.param({"apiVersion": "v1", "kind": "Pod\0"}, id="NUL"),
        pytest.param({"apiVersion": "v1", "kind": "pod"}, id="wrong case"),
        pytest.param({"apiVersion": "v1", "kind": "List", "items": []}, id="list kind of kubectl"),
        pytest.param({"apiVersion": "v1", "kind": "ConfigMapList", "items": []}, id="typed list"),
        pytest.param({"apiVersion": "example.com/v1", "kind": "Widget"}, id="custom resource"),
        pytest.param({"apiVersion": "batch.volcano.sh/v1", "kind": "Job"}, id="group that starts like a built-in one"),
        pytest.param({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "a"}}, id="deprecated"),
        pytest.param({"apiVersion": "extensions/v1beta1", "kind": "Deployment"}, id="removed"),
    ],
)
def test_is_clean_of_what_it_cannot_judge_is_false(body: object, schemas: PlainSchemas) -> None:
    assert not schemas.is_clean(body)


@pytest.mark.parametrize("items", [[None, None], [None], [{}, None], [{"name": None}], [1, 2], [[], []], "text", {}])
def test_is_clean_of_odd_items_in_a_keyed_list_does_not_raise(items: object, schemas: PlainSchemas) -> None:
    container = {"name": "a", "env": items, "ports": items, "volumeMounts": items}
    assert schemas.is_clean({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}) is (
        items == [None]
    )


def test_is_clean_of_a_nest_deeper_than_the_stack_is_false(schemas: PlainSchemas) -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(50_000):
        schema = {"properties": {"a": schema}}
    assert not schemas.is_clean({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": schema}})


def test_plain_schemas_of_an_unknown_version_raises() -> None:
    with pytest.raises(SchemaError, match="known are"):
        PlainSchemas("1.24", None)


def test_import_and_a_hit_load_nothing_heavy(tmp_path: Path, deployment: dict[str, Any]) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules)\n"
        "from gitops_guard.schema.plain import PlainSchemas\n"
        f"assert PlainSchemas('1.37', {(str(tmp_path), bytes(32))!r}).is_clean({deployment!r})\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    root = Path(__file__).resolve().parents[2]
    site = next(path for path in sys.path if path.endswith("site-packages"))
    code = (
        f"import sys; sys.path.append({site!r})\n" + code
    )  # -S, because .pth files of the environment import what they like
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(root)], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert "gitops_guard.schema.plain" in loaded
    assert set() == loaded & (HEAVY - {"enum"})  # `re` brings enum; the YAML parser has loaded both before


@pytest.mark.parametrize(("names", "expected"), [(["a"], True), (["a", "a"], False), (["a", "b"], False)])
def test_is_clean_of_a_set_of_objects_is_not_sure_about_more_than_one(names: list[str], expected: bool) -> None:
    """1.26 calls `claims` a set, although its items are objects."""
    resources = {"claims": [{"name": name} for name in names]}
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "resources": resources}]}}
    assert expected is PlainSchemas("1.26", None).is_clean(pod)
