"""Previews in every format: sections, and nothing of what a cluster says steers a terminal, a log or a page."""

import io
import json
import re
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import referencing
from referencing import Registry

from gitops_guard.diff import compare
from gitops_guard.model import CheckError, Origin, Resource
from gitops_guard.model.live import (
    ClusterPreview,
    Conflict,
    LiveObject,
    LiveReport,
    MissingRight,
    Preview,
    Prune,
)
from gitops_guard.model.resource import resource_id
from gitops_guard.report import FormatOptions
from gitops_guard.report.live_formats import LIVE_FORMATS

SCHEMAS = {
    name: json.loads(files("gitops_guard.report").joinpath(name).read_text("utf-8"))
    for name in ("diff.schema.json", "live.schema.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    [(name, referencing.Resource.from_contents(schema)) for name, schema in SCHEMAS.items()]
)
HOSTILE = "\x1b[31mred\n::error::x `</details>` \u202e@everyone"


def resource(**data: str) -> Resource:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}, "data": data}
    return Resource(id=resource_id(body), body=body, origin=Origin(path="a.yaml", document=0, line=3))


def report(said: str) -> LiveReport:
    one = resource(a="b")
    told = LiveObject(
        id=one.id,
        path="a.yaml",
        line=3,
        preview=Preview.REFUSED,
        reason=said,
        recreate=True,
        conflicts=(Conflict(field=".data.a", manager=said, already=True),),
    )
    preview = ClusterPreview(
        cluster="eu",
        version="v1.36.3",
        effect=compare([one], [resource(a=said)]),
        drift=compare([one], []),
        objects=(told,),
        prunes=(Prune(id=one.id, by_merge=False, inventory=said, kept="helm.sh/resource-policy: keep"),),
        rights=(MissingRight(verb="patch", resource="deployments.apps", namespace="shop", objects=2),),
        notes=(said,),
        compared=3,
        proved=2,
        dry_runs=4,
    )
    gone = ClusterPreview(cluster="us", error=said)
    errors = (CheckError(path="x.yaml", line=1, column=0, message=said),)
    return LiveReport(clusters=(preview, gone), before="commit 1", after="work tree", errors=errors, notes=(said,))


def written(name: str, said: str, **options: bool) -> str:
    out = io.StringIO()
    LIVE_FORMATS[name](report(said), out, FormatOptions(**options))
    return out.getvalue()


@pytest.mark.parametrize(
    "line",
    [
        "x.yaml:1: could not compare: said",
        "cluster eu (v1.36.3)",
        "the merge changes: 1 configured",
        '    ~ data.a: "b" -> "said"  [config]',
        "drift, not caused by the merge: Git -> cluster: 1 missing",
        "  a.yaml:3: v1 ConfigMap shop/a: refused: said; created anew, the object would be valid",
        "  a.yaml:3: v1 ConfigMap shop/a: .data.a is owned by said, without the merge too",
        "  v1 ConfigMap shop/a: it is not in Git, with the merge or without (said); kept: helm.sh/resource-policy: keep",
        "  patch deployments.apps in namespace shop (2 objects)",
        "3 objects: 2 proved to be as Git says without a dry-run, 4 dry-runs sent",
        "  could not ask: said",
        "compared: commit 1 with work tree",
        "note: said",
    ],
)
def test_text_when_written_then_each_thing_has_its_line(line: str) -> None:
    assert line in written("text", "said").replace("data[a]", "data.a").splitlines()


@pytest.mark.parametrize("name", ["text", "markdown"])
def test_format_when_a_cluster_says_hostile_things_then_nothing_acts(name: str) -> None:
    text = written(name, HOSTILE)
    assert not {"\x1b", "\u202e"} & set(text)
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_markdown_when_a_cluster_says_hostile_things_then_it_stays_in_code() -> None:
    prose = "".join(re.split(r"^```.*\n", written("markdown", HOSTILE), flags=re.MULTILINE)[::2])
    outside = [part for line in prose.splitlines() for part in line.split("``")[::2]]
    assert "``" in prose
    assert not [part for part in outside if "@everyone" in part]
    assert written("markdown", HOSTILE).count("\n</details>\n") == 1


def test_colour_when_asked_for_then_the_text_has_it_and_else_not() -> None:
    assert "\x1b[1mcluster eu" in written("text", "said", colour=True)
    assert "\x1b" not in written("text", "said")


def test_json_when_written_then_it_is_ascii_and_has_every_key() -> None:
    text = written("json", HOSTILE)
    assert text.isascii()
    told = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMAS["live.schema.json"], registry=REGISTRY).validate(told)
    assert list(told) == ["version", "from", "to", "clusters", "errors", "notes"]
    first, second = told["clusters"]
    assert (first["cluster"], second["error"]) == ("eu", HOSTILE)
    assert [one["action"] for one in (*first["effect"], *first["drift"])] == ["configured", "deleted"]
    assert first["missing_rights"] == [
        {"verb": "patch", "resource": "deployments.apps", "namespace": "shop", "objects": 2}
    ]
