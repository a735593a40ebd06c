"""The installed data is what the code was written for, and the committed index is what the tools write."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.errors import SchemaError
from gitops_guard.schema import bundle
from gitops_guard.schema.build import build_slice, children
from gitops_guard.schema.builtin import versions

ROOT = Path(__file__).resolve().parents[2]
HANDLED = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "oneOf",
    "$ref",
    "format",
    "description",
}
FORMATS = {"int32", "int64", "byte", "date-time", "double"}


def _schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for child in children(schema):
        yield from _schemas(child)


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("schema_index", ROOT / "tools" / "schema_index.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_versions_are_those_of_the_index_oldest_first() -> None:
    assert tuple(f"1.{minor}" for minor in range(25, 38)) == versions()


@pytest.mark.parametrize("version", versions())
def test_data_uses_no_keyword_or_format_that_is_not_handled(version: str) -> None:
    keywords, formats, one_ofs = set(), set(), set()
    for name, definition in bundle.load_definitions(version).items():
        for schema in _schemas(definition):
            keywords |= {key for key in schema if not key.startswith("x-")}
            formats |= {schema["format"]} & FORMATS if "format" in schema else set()
            assert schema.get("format", "int32") in FORMATS
            one_ofs |= {name} if "oneOf" in schema else set()
    assert keywords <= HANDLED
    assert {name.rpartition(".")[2] for name in one_ofs} == {"Quantity", "IntOrString"}


@pytest.mark.parametrize("version", versions())
def test_committed_index_is_what_the_tool_writes(version: str, tool: Any) -> None:
    for folder, content in tool.index(bundle.minor(version)).items():
        committed = ROOT / "gitops_guard" / "schema" / "data" / folder / f"{version}.json"
        assert tool.render(content) == committed.read_text(), (
            f"run tools/schema_index.py: {committed.name} of {folder} is outdated"
        )


@pytest.mark.parametrize("version", versions())
def test_every_enum_names_a_field_of_the_data_or_a_kind_that_is_not_in_it(version: str) -> None:
    definitions = bundle.load_definitions(version)
    unknown = [
        f"{name}.{field}"
        for name, fields in bundle.load_index("enums", version)["enums"].items()
        if name in definitions and definitions[name].get("properties")
        for field in fields
        if field not in definitions[name]["properties"]
    ]
    assert [] == unknown


def test_every_slice_of_every_version_can_be_built() -> None:
    for version in ("1.25", "1.37"):
        definitions = bundle.load_definitions(version)
        optional, enums = bundle.load_index("fixes", version)["optional"], bundle.load_index("enums", version)["enums"]
        before = json.dumps(definitions)
        for name in bundle.load_index("kinds", version)["kinds"].values():
            content = build_slice(name, definitions, optional=optional, enums=enums)
            assert name in content["definitions"]
        assert before == json.dumps(definitions), "the installed data was changed"


@pytest.mark.parametrize("version", ["1.24", "1.99", "", "latest", "1.x", "../1.37", "1.37/../1.37", "v1.37", "1.٣٧"])
def test_load_index_of_an_unknown_version_says_which_are_known(version: str) -> None:
    with pytest.raises(SchemaError, match=r"1\.25.*1\.37"):
        bundle.load_index("kinds", version)


@pytest.mark.parametrize(
    "key",
    [
        "v1 PodList",
        "autoscaling/v1 Scale",
        "v1 Status",
        "policy/v1 Eviction",
        "meta.k8s.io/v1 DeleteOptions",
        "v1 WatchEvent",
        "v1 List",
    ],
)
def test_index_leaves_out_what_cannot_be_created(key: str) -> None:
    assert key not in bundle.load_index("kinds", "1.37")["kinds"]
