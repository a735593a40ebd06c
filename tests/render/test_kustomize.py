"""kustomize: the output is the tool's own, origins are real places, and nothing leaves the repository."""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from gitops_guard.model import Origin
from gitops_guard.model.unit import UnitKind
from gitops_guard.render import Options, render
from gitops_guard.repo.repository import open_tree

SHOP = Path(__file__).parents[2] / "examples" / "shop"
OVERLAYS = sorted(
    path.parent.relative_to(SHOP).as_posix() for path in SHOP.rglob("kustomization.yaml") if path.parent.name != "base"
)
KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"


def by_kustomize(folder: Path) -> str:
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def shop_units(shop):
    return render(shop, Options(environment={"PATH": ""})).units


@pytest.mark.parametrize("folder", OVERLAYS)
def test_render_when_the_shop_is_rendered_then_each_overlay_is_byte_equal_to_kustomize(shop_units, folder):
    texts = ["---\n".join(one.text for one in unit.objects) for unit in shop_units if unit.unit.path == folder]
    assert texts
    assert [by_kustomize(SHOP / folder)] * len(texts) == texts


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(
            {
                "kustomization.yaml": "resources: [a.yaml]\n",
                "a.yaml": CONFIG_MAP + "  annotations: {}\n",
            },
            id="empty-annotations",
        ),
        pytest.param(
            {
                "kustomization.yaml": "resources: [a.yaml]\ncommonAnnotations: {a: b}\n",
                "a.yaml": CONFIG_MAP
                + "data:\n  t: |\n    metadata:\n      annotations:\n        config.kubernetes.io/origin: |\n          x\n",
            },
            id="text-that-looks-like-the-annotation",
        ),
        pytest.param(
            {
                "kustomization.yaml": "resources: [a.yaml]\nbuildMetadata: [originAnnotations]\n",
                "a.yaml": CONFIG_MAP,
            },
            id="asked-for-by-the-repository",
        ),
        pytest.param(
            {
                "kustomization.yaml": "resources: [a.yaml]\nbuildMetadata: [managedByLabel]\n",
                "a.yaml": CONFIG_MAP,
            },
            id="other-metadata-asked-for",
        ),
        pytest.param(
            {"kustomization.yaml": '{"resources": ["a.yaml"], "nameSuffix": "-é"}', "a.yaml": CONFIG_MAP},
            id="json",
        ),
        pytest.param(
            {
                "Kustomization": "configMapGenerator:\n- name: web\n  files: [x=a b/c.txt]\n  literals: [y=z]",
                "a b/c.txt": "---\nnot yaml: [\n",
            },
            id="generator-and-no-newline-at-the-end",
        ),
    ],
)
def test_render_when_a_kustomization_is_unusual_then_the_output_is_still_the_tools_own(rendered, tmp_path, files):
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    (unit,) = rendered(files).units
    assert () == unit.errors
    assert by_kustomize(tmp_path) == "---\n".join(one.text for one in unit.objects)


BASE = {
    "base/kustomization.yaml": "resources:\n- web.yaml\nconfigMapGenerator:\n- name: one\n  literals: [a=b]\n- name: two\n  literals: [a=b]\n",
    "base/web.yaml": "# The shop\n" + CONFIG_MAP + "---\n" + CONFIG_MAP.replace("web", "api"),
    "overlay/kustomization.yaml": "namePrefix: x-\nresources:\n- ../base\n",
}


def test_render_when_an_overlay_renames_then_each_origin_is_the_line_in_its_source(rendered):
    (unit,) = rendered(BASE).units
    origins = {
        one.resource.id.name.removesuffix("-4h2mbtbbt6").rsplit("-", 1)[0]: one.resource.origin for one in unit.objects
    }
    places = {(one.resource.origin.path, one.resource.origin.line) for one in unit.objects}
    assert {
        ("base/web.yaml", 2),
        ("base/web.yaml", 7),
        ("base/kustomization.yaml", 4),
        ("base/kustomization.yaml", 6),
    } == places, origins


def test_render_when_the_object_cannot_be_told_apart_then_the_entry_that_brought_it_is_named(rendered):
    patch = "patches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - {op: replace, path: /metadata/name, value: renamed}\n"
    twice = CONFIG_MAP + "---\n" + CONFIG_MAP.replace("web", "api") + "  namespace: other\n"
    files = {
        "base/kustomization.yaml": "resources:\n- web.yaml\n",
        "base/web.yaml": twice,
        "overlay/kustomization.yaml": f"{patch}  options: {{allowNameChange: true}}\nresources:\n- ../base\n",
    }
    (unit,) = rendered(files).units
    assert {Origin(path="overlay/kustomization.yaml", document=0, line=7)} == {
        one.resource.origin for one in unit.objects
    }


def test_units_when_bases_and_components_are_used_then_they_are_none(rendered):
    files = {
        **BASE,
        "parts/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [c.yaml]\n",
        "parts/c.yaml": CONFIG_MAP.replace("web", "part"),
        "unused/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
    }
    files["overlay/kustomization.yaml"] += "components: [../parts]\n"
    assert ["overlay"] == [unit.unit.name for unit in rendered(files).units]


def test_units_when_kustomizations_use_each_other_then_the_circle_is_an_error_and_not_silence(rendered):
    files = {"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}
    (unit,) = rendered(files).units
    assert "cycle detected" in unit.errors[0].message


# Hostile --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kustomization", "line", "message"),
    [
        pytest.param("resources:\n- ../../../etc/passwd\n", 2, "leaves the repository", id="up-and-out"),
        pytest.param("resources: [/etc/passwd]\n", 1, "leaves the repository", id="absolute"),
        pytest.param("resources: [../../../../../../../../etc]\n", 1, "leaves the repository", id="directory"),
        pytest.param("components: [/etc]\n", 1, "leaves the repository", id="component"),
        pytest.param("patches:\n- path: /etc/passwd\n", 2, "leaves the repository", id="patch"),
        pytest.param(
            "configMapGenerator:\n- name: x\n  files: [a=/etc/passwd]\n", 3, "leaves the repository", id="file"
        ),
        pytest.param(
            "configMapGenerator:\n- name: x\n  envs: [../../../etc/environment]\n", 3, "leaves the repo", id="env"
        ),
        pytest.param("crds: [/etc/passwd]\n", 1, "leaves the repository", id="crds"),
        pytest.param("Resources: [../../../../etc]\n", 1, "write Resources as resources", id="other-case"),
        pytest.param("openapi: {path: /etc/passwd}\n", 1, "leaves the repository", id="openapi"),
        pytest.param("helmCharts:\n- name: x\n  repo: https://example.com\n", 2, "--enable-helm", id="helm-charts"),
        pytest.param("resources: ['https://example.com/a.yaml']\n", 1, "--allow-network", id="http"),
        pytest.param("resources: ['github.com/a/b//c?ref=v1']\n", 1, "--allow-network", id="git"),
        pytest.param("resources: ['git@example.com:a/b.git']\n", 1, "--allow-network", id="ssh"),
        pytest.param("resources: ['example.com/a/b.git//c']\n", 1, "--allow-network", id="no-scheme"),
        pytest.param("patches: [{path: 'https://example.com/p.yaml'}]\n", 1, "--allow-network", id="remote-patch"),
        pytest.param("patches: [{path: 'https://example.com/a=b'}]\n", 1, "--allow-network", id="remote-patch-equals"),
        pytest.param(
            "configMapGenerator: [{name: x, files: ['a=https://e.com/b']}]\n", 1, "--allow-net", id="remote-file"
        ),
        pytest.param("configMapGenerator: [{name: x, envs: ['http://e.com/b']}]\n", 1, "--allow-net", id="remote-env"),
        pytest.param("openapi: {path: 'http://e.com/b'}\n", 1, "--allow-network", id="remote-openapi"),
        pytest.param("generators: [remote.yaml]\n", 1, "--allow-network", id="remote-in-generator"),
        pytest.param("transformers:\n- listed\n", 2, "--allow-network", id="remote-in-listed-transformer"),
        pytest.param("transformers:\n- changed\n", 2, "changes transformers (patches)", id="changed-transformer"),
    ],
)
def test_render_when_a_kustomization_reaches_out_then_it_is_refused_with_its_line(
    rendered, kustomization, line, message
):
    remote = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nfiles: ['http://127.0.0.1/a']\n"
    files = {
        "k/kustomization.yaml": kustomization,
        "k/remote.yaml": remote,
        "k/listed/kustomization.yaml": "resources:\n- t.yaml\n",
        "k/listed/t.yaml": remote,
        "k/changed/kustomization.yaml": "resources: [t.yaml]\npatches: [{path: p.yaml}]\n",
        "k/changed/t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: a.yaml\n",
    }
    (unit,) = [one for one in rendered(files).units if (one.unit.kind, one.unit.path) == (UnitKind.KUSTOMIZATION, "k")]
    assert () == unit.objects
    (error,) = unit.errors
    assert message in error.message
    assert (error.path, error.line) in [("k/kustomization.yaml", line), ("k/listed/kustomization.yaml", line)]


def test_render_when_a_url_holds_a_password_then_no_error_holds_it(rendered):
    (unit,) = rendered(
        {"kustomization.yaml": "resources: ['https://ada:hunter2@example.com/a?ref=x&sshkey=k']\n"}
    ).units
    assert "https://example.com/a is remote" in unit.errors[0].message
    assert "hunter2" not in str(unit.errors)


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        pytest.param(
            "apiVersion: someteam.example.com/v1\nkind: Evil\nmetadata:\n  name: x\n"
            "  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./evil.sh}\n",
            "kubectl: ",
            id="exec",
        ),
        pytest.param(
            "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: x\n",
            "must specify --enable-helm",
            id="helm",
        ),
        pytest.param(
            "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nfiles: [/etc/passwd]\n",
            "security",
            id="file-outside",
        ),
    ],
)
def test_render_when_a_generator_wants_to_run_or_read_then_the_tool_refuses_it(rendered, tmp_path, generator, message):
    files = {
        "kustomization.yaml": "generators: [g.yaml]\n",
        "g.yaml": generator,
        "evil.sh": f"#!/bin/sh\ntouch {tmp_path}/ran\n",
    }
    (unit,) = rendered(files).units
    assert message in unit.errors[0].message
    assert not (tmp_path / "ran").exists()


def test_render_when_the_tree_holds_links_then_none_is_followed(repo, tmp_path):
    secret = tmp_path / "outside" / "kustomization.yaml"
    secret.parent.mkdir()
    secret.write_text("resources: []\nnamePrefix: stolen-\n", encoding="utf-8")
    sandbox = repo({"k/kustomization.yaml": "resources: [linked.yaml]\n", "l/kustomization.yaml": "resources: [dir]\n"})
    (sandbox.root / "k" / "linked.yaml").symlink_to("/etc/passwd")
    (sandbox.root / "l" / "dir").symlink_to(secret.parent)
    sandbox.commit()
    tree = open_tree(str(sandbox.root), rev="HEAD")
    rendering = render(tree, Options(environment={"PATH": ""}))
    assert {
        "k": "not rendered: k/linked.yaml is a symbolic link or submodule, which is not followed",
        "l": "not rendered: l/dir is a symbolic link or submodule, which is not followed",
    } == {unit.unit.name: unit.errors[0].message for unit in rendering.units}


def test_render_when_one_unit_fails_then_the_others_go_on_and_the_tools_message_names_the_file(rendered):
    files = {
        "bad/kustomization.yaml": "resources: [web.yaml]\n",
        "bad/web.yaml": "a: [\n",
        "good/kustomization.yaml": "resources: [web.yaml]\n",
        "good/web.yaml": CONFIG_MAP,
    }
    bad, good = rendered(files).units
    assert ("bad/kustomization.yaml", ()) == (bad.errors[0].path, good.errors)
    assert "File: web.yaml" in bad.errors[0].message
    assert "gitops-guard-" not in bad.errors[0].message
    assert ["web"] == [one.resource.id.name for one in good.objects]


def test_render_when_the_tool_is_missing_then_every_unit_says_so(rendered, monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda _: os.fspath(tmp_path))
    (unit,) = rendered({"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": CONFIG_MAP}).units
    assert "neither kustomize nor kubectl is on PATH" in unit.errors[0].message


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: hunter2-hunter2}\n"


@pytest.mark.parametrize(
    ("patch", "files"),
    [
        pytest.param("|-\n    kind: Secret\n    stringData: {a: hunter2-new}\n    - x\n", {}, id="broken"),
        pytest.param(
            "|-\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: no}\n    stringData: {a: hunter2-hunter2}\n",
            {},
            id="merge",
        ),
        pytest.param(
            "|-\n    - {op: add, path: /nope/x, value: hunter2-hunter2}\n  target: {kind: Secret}\n",
            {},
            id="operations",
        ),
    ],
)
def test_render_when_a_patch_of_a_secret_fails_then_the_message_holds_no_value(rendered, patch, files):
    text = f"resources: [secret.yaml]\npatches:\n- patch: {patch}"
    (unit,) = rendered({"kustomization.yaml": text, "secret.yaml": SECRET, **files}).units
    assert () == unit.objects
    assert "hunter2" not in unit.errors[0].message


def test_render_when_a_patch_file_of_operations_fails_then_the_message_holds_no_value(rendered):
    text = "resources: [secret.yaml]\npatches: [{path: p.yaml, target: {kind: Secret}}]\n"
    patch = "- {op: add, path: /nope/x, value: hunter2-hunter2}\n"
    (unit,) = rendered({"kustomization.yaml": text, "secret.yaml": SECRET, "p.yaml": patch}).units
    assert "hunter2" not in unit.errors[0].message
