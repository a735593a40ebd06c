"""The stage as a whole: the same with any number of workers, remembered by exactly what was read, plain directories."""

import dataclasses
from pathlib import Path

import pytest

from gitops_guard.render import Limits, Options, Tools, render, units
from gitops_guard.render.files import Files
from gitops_guard.render.tools import Tool, find_tools
from gitops_guard.repo.memory import MemoryTree

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"
PLAIN = Options(environment={"PATH": ""})


def counting_tool(directory: Path) -> tuple[Tools, Path]:
    """Return the real kustomize behind a script that notes each of its runs."""
    real = find_tools({"PATH": ""}).kustomize
    assert real is not None
    script, log = directory / "kustomize", directory / "runs"
    script.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real.command[0]} kustomize "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    log.touch()
    return Tools(kustomize=Tool(command=(str(script),), stamp="1"), helm=None), log


def many(count: int) -> dict[str, bytes]:
    files = {"base/kustomization.yaml": b"resources: [web.yaml]\n", "base/web.yaml": CONFIG_MAP.encode()}
    for number in range(count):
        text = f"resources: [../base]\nnameSuffix: -n{number}\n"
        files[f"o{number:02}/kustomization.yaml"] = text.encode()
    return files


def test_render_when_the_number_of_workers_differs_then_the_result_does_not():
    tree = MemoryTree({**many(6), "bad/kustomization.yaml": b"resources: [nope.yaml]\n"})
    one, four = (render(tree, dataclasses.replace(PLAIN, jobs=jobs)) for jobs in (1, 4))
    assert one == four
    assert [1] + [0] * 6 == [len(unit.errors) for unit in one.units]
    assert ["bad", *(f"o{number:02}" for number in range(6))] == [unit.unit.name for unit in one.units]


def test_render_when_a_file_changes_then_only_the_units_that_read_it_run_again(tmp_path):
    tools, log = counting_tool(tmp_path)
    options = dataclasses.replace(PLAIN, tools=tools, cache_dir=str(tmp_path / "cache"), jobs=1)
    files = {**many(3), "alone/kustomization.yaml": b"resources: [a.yaml]\n", "alone/a.yaml": CONFIG_MAP.encode()}
    first = render(MemoryTree(files), options)
    assert 4 == len(log.read_text().splitlines())
    assert first == render(MemoryTree({**files, "README.md": b"new", "alone/unread.txt": b"new"}), options)
    assert 4 == len(log.read_text().splitlines())
    changed = {**files, "alone/a.yaml": CONFIG_MAP.replace("web", "api").encode()}
    render(MemoryTree(changed), options)
    assert ["./alone"] == [line.split()[-1] for line in log.read_text().splitlines()[4:]]


def test_render_when_a_remembered_output_is_damaged_then_it_is_built_again(tmp_path):
    tools, log = counting_tool(tmp_path)
    options = dataclasses.replace(PLAIN, tools=tools, cache_dir=str(tmp_path / "cache"))
    first = render(MemoryTree(many(1)), options)
    (remembered,) = (tmp_path / "cache" / "render").iterdir()
    assert 0o600 == remembered.stat().st_mode & 0o777
    remembered.write_bytes(remembered.read_bytes()[:-3] + b"xxx")
    assert first == render(MemoryTree(many(1)), options)
    assert 2 == len(log.read_text().splitlines())


def test_render_when_a_unit_is_rendered_then_it_names_exactly_what_it_read(rendered):
    files = {
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": CONFIG_MAP,
        "base/unread.yaml": CONFIG_MAP.replace("web", "other"),
        "o/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\nconfigMapGenerator: [{name: g, files: [f.txt]}]\n",
        "o/p.yaml": CONFIG_MAP + "data: {a: b}\n",
        "o/f.txt": "text",
    }
    unit = next(unit for unit in rendered(files).units if unit.unit.name == "o")
    assert ["base/kustomization.yaml", "base/web.yaml", "o/f.txt", "o/kustomization.yaml", "o/p.yaml"] == [
        path for path, _ in unit.reads
    ]


def test_render_when_the_output_is_too_large_then_the_unit_fails_and_says_so(rendered):
    files = {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": CONFIG_MAP + f"data: {{a: {'x' * 5000}}}\n"}
    (unit,) = rendered(files, limits=Limits(output_bytes=4000)).units
    assert "kubectl: wrote more than 4,000 bytes and was ended" == unit.errors[0].message


def test_render_when_the_tool_hangs_then_the_unit_fails_and_says_so(tmp_path):
    script = tmp_path / "kustomize"
    script.write_text("#!/bin/sh\nwhile :; do :; done\n", encoding="utf-8")
    script.chmod(0o755)
    tools = Tools(kustomize=Tool(command=(str(script),), stamp="1"), helm=None)
    options = dataclasses.replace(PLAIN, tools=tools, limits=Limits(seconds=0.3))
    (unit,) = render(MemoryTree(many(1)), options).units
    assert "kustomize: took longer than 0.3 s and was ended" == unit.errors[0].message


def test_render_when_manifests_are_plain_then_each_directory_is_a_unit(rendered):
    files = {
        "a/list.yaml": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: one}\n",
        "a/two.yaml": "# first\n---\n# second\n" + CONFIG_MAP + "---\n" + CONFIG_MAP.replace("web", "api"),
        "a/notes.yaml": "just: notes\n",
        "b/broken.yaml": "apiVersion: v1\nkind: ConfigMap\n\tmetadata: {}\n",
        ".github/workflows/ci.yaml": "on: push\n",
        "docs/values.yaml": "a: b\n",
        "ci/values.yaml": "extra:\n  apiVersion: v1\n  kind: ConfigMap\n",
    }
    a, b = rendered(files).units
    assert [("one", 4), ("web", 4), ("api", 9)] == [
        (one.resource.id.name, one.resource.origin.line) for one in a.objects
    ]
    assert "# second\n" + CONFIG_MAP == a.objects[1].text
    assert [("b/broken.yaml", 3, "yaml-syntax")] == [(error.path, error.line, error.rule) for error in b.errors]


@pytest.mark.parametrize(
    ("cluster", "path", "expected"),
    [
        pytest.param({"paths": ("live/",)}, "live/x/a.yaml", ("live",), id="configured"),
        pytest.param({"paths": ("else/",)}, "clusters/blue/a.yaml", ("blue",), id="by-convention"),
        pytest.param({}, "apps/a.yaml", (), id="unknown"),
    ],
)
def test_units_when_clusters_are_configured_or_in_the_path_then_each_unit_knows_its_own(cluster, path, expected):
    from gitops_guard.config.model import Cluster

    options = dataclasses.replace(PLAIN, clusters={"live": Cluster(**cluster)})
    (unit,) = units(MemoryTree({path: CONFIG_MAP.encode()}), options)
    assert expected == unit.clusters


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(CONFIG_MAP, 1, id="plain"),
        pytest.param("# a\n\n  # b\n---\n# c\n" + CONFIG_MAP, 6, id="comments-and-separator"),
        pytest.param(CONFIG_MAP + "---\n" + CONFIG_MAP, 0, id="two"),
        pytest.param("apiVersion: v1\nkind: List\nitems: []\n", 0, id="list"),
        pytest.param('{"kind": "ConfigMap"}', 0, id="json"),
        pytest.param("# " * 50_000 + "\n" + "\n" * 50_000 + "- a\n", 0, id="long-and-no-key"),
    ],
)
def test_only_line_when_a_file_surely_holds_one_object_then_its_line_else_0(written, expected):
    assert expected == Files(MemoryTree({"a.yaml": written.encode()})).only_line("a.yaml")
