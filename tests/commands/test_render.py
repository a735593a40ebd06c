"""`gitops-guard render` on real repositories."""

import shutil
from pathlib import Path

import pytest
import yaml

SHOP = Path(__file__).parents[2] / "examples" / "shop"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"
FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": CONFIG_MAP,
    "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n",
    "bad/kustomization.yaml": "resources: [nope.yaml]\n",
}
EXPECTED = """---
# base/web.yaml:1 (kustomization overlay)
apiVersion: v1
kind: ConfigMap
metadata:
  name: x-web
"""


def test_render_when_a_unit_fails_then_2_and_the_others_are_printed(repo):
    outcome = repo(FILES).run("render", "--no-cache")
    outcome.assert_code(2)
    assert EXPECTED == outcome.out
    assert outcome.err.startswith("bad/kustomization.yaml:1: ")
    assert "nope.yaml" in outcome.err


@pytest.mark.parametrize("path", ["overlay", "overlay/kustomization.yaml", "./overlay/"])
def test_render_when_a_path_is_given_then_only_its_units_count(repo, path):
    outcome = repo(FILES).run("render", path, "--no-cache")
    outcome.assert_clean()
    assert EXPECTED == outcome.out


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("base", "no unit is deployed from or declared in base", id="only-a-base"),
        pytest.param("nowhere", "nowhere: no such file or directory in the work tree", id="no-such-path"),
        pytest.param("../..", "lies outside of", id="outside"),
    ],
)
def test_render_when_a_path_gives_nothing_then_2_and_the_reason(repo, path, message):
    outcome = repo(FILES).run("render", path, "--no-cache")
    outcome.assert_code(2)
    assert ("", True) == (outcome.out, message in outcome.err)


def test_render_when_a_revision_or_the_index_is_asked_for_then_the_work_tree_does_not_count(repo):
    sandbox = repo().commit({"a.yaml": CONFIG_MAP})
    sandbox.stage({"a.yaml": CONFIG_MAP.replace("web", "staged")}).write({"a.yaml": CONFIG_MAP.replace("web", "now")})
    names = [
        yaml.safe_load(sandbox.run("render", "--no-cache", *arguments).out)["metadata"]["name"]
        for arguments in (["--rev", "HEAD"], ["--staged"], [])
    ]
    assert ["web", "staged", "now"] == names


def test_render_when_a_name_holds_control_characters_then_the_comment_stays_one_line(repo):
    outcome = repo({"a\nb: c/x.yaml": CONFIG_MAP}).run("render", "--no-cache")
    outcome.assert_clean()
    assert [yaml.safe_load(CONFIG_MAP)] == list(yaml.safe_load_all(outcome.out))


def test_render_when_clusters_are_configured_then_the_comment_names_them(repo):
    files = {**FILES, ".gitops-guard.yaml": "clusters: {live: {paths: [overlay/]}}\n"}
    assert "(kustomization overlay on live)" in repo(files).run("render", "overlay", "--no-cache").out


def test_render_when_the_shop_is_rendered_then_every_kustomization_is_there(repo, tmp_path):
    sandbox = repo()
    shutil.copytree(SHOP, sandbox.root, dirs_exist_ok=True)
    shutil.rmtree(sandbox.root / "broken")
    outcome = sandbox.run("render", "--no-cache", "apps")
    outcome.assert_clean()
    units = {line.split(" (")[1] for line in outcome.out.splitlines() if line.startswith("# apps/") and " (" in line}
    assert {
        f"{kind} {namespace}/{name} on {cluster})"
        for kind, namespace, cluster in (
            ("Argo CD Application", "argocd", "production"),
            ("Flux Kustomization", "flux-system", "staging"),
        )
        for name in ("checkout", "orders", "storefront")
    } == units
