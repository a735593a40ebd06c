"""`gitops-guard init`: what it detects, what it writes, and what it never overwrites."""

from pathlib import Path

import pytest
import yaml

from gitops_guard.config import load

ROOT = Path(__file__).parents[2]
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n"
FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n"
ARGO = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
CHART = "apiVersion: v2\nname: a\nversion: 1.0.0\n"
SCHEMAS = "schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        pytest.param({"a.yaml": GOOD}, "detected nothing in particular", id="nothing"),
        pytest.param({"apps/kustomization.yaml": "resources: []\n"}, "detected kustomizations: apps", id="kustomize"),
        pytest.param({"kustomization.yml": "resources: []\n"}, "detected kustomizations: .", id="kustomize at the root"),
        pytest.param({"charts/a/Chart.yaml": CHART}, "detected Helm charts: charts/a", id="helm"),
        pytest.param({"clusters/a.yaml": FLUX}, "detected Flux resources: clusters/a.yaml", id="flux"),
        pytest.param({"clusters/a.yaml": ARGO}, "detected Argo CD applications: clusters/a.yaml", id="argo"),
        pytest.param({"crds/a.yaml": CRD}, "detected CustomResourceDefinitions: crds", id="crds"),
        pytest.param({"schemas/example.com/gadget_v1.json": "{}"}, f"detected schema directories: {SCHEMAS}", id="schemas"),
        pytest.param({"third_party/x/a.yaml": GOOD}, "detected vendored files: third_party", id="vendored"),
        pytest.param({"apps/generated/a.yaml": GOOD}, "detected generated files: apps/generated", id="generated"),
        pytest.param(
            {"c/Chart.yaml": CHART, "c/charts/d/Chart.yaml": CHART}, "detected vendored files: c/charts", id="chart's own"
        ),
    ],
)  # fmt: skip
def test_init_when_the_repository_has_something_then_it_is_told_and_what_is_written_loads(repo, files, told):
    sandbox = repo(files)
    outcome = sandbox.run("init")
    outcome.assert_code(0)
    assert told in outcome.out.splitlines()
    written = (sandbox.root / ".gitops-guard.yaml").read_text()
    load(written, ".gitops-guard.yaml")
    assert "gitops-guard" not in written  # it would be taken for a file with suppressions
    assert not sandbox.run("check").err  # it is in force and nothing about it is wrong


def test_init_when_there_is_vendored_code_and_a_schema_directory_then_the_configuration_uses_them(repo):
    schema = (
        '{"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}'
    )
    gadget = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: a}\nspec: {size: many}\n"
    files = {"vendor/a.yaml": GOOD + "dta: 1\n", "schemas/example.com/gadget_v1.json": schema, "a.yaml": gadget}
    sandbox = repo(files)
    sandbox.run("check").assert_findings(("vendor/a.yaml", 4, "unknown-field"))
    sandbox.run("init").assert_code(0)
    sandbox.run("check").assert_findings(("a.yaml", 4, "wrong-type"))


def test_init_when_a_configuration_exists_then_it_is_kept_unless_forced(repo):
    sandbox = repo({".gitops-guard.yaml": "fail-on: note\n"})
    refused = sandbox.run("init")
    refused.assert_code(2)
    assert "--force overwrites it" in refused.err
    assert "fail-on: note\n" == (sandbox.root / ".gitops-guard.yaml").read_text()
    sandbox.run("init", "--force").assert_code(0)
    assert "fail-on: note\n" != (sandbox.root / ".gitops-guard.yaml").read_text()


def test_init_when_the_configuration_is_a_link_then_its_target_stays_as_it_is(repo, tmp_path):
    target = tmp_path / "elsewhere.yaml"
    target.write_text("fail-on: note\n")
    sandbox = repo()
    (sandbox.root / ".gitops-guard.yaml").symlink_to(target)
    sandbox.run("init").assert_code(2)
    sandbox.run("init", "--force").assert_code(0)
    assert "fail-on: note\n" == target.read_text()


def test_init_print_then_the_configuration_alone_goes_to_standard_output_and_nothing_is_written(repo):
    sandbox = repo({"crds/a.yaml": CRD})
    outcome = sandbox.run("init", "--print")
    outcome.assert_code(0)
    assert {"fail-on": "error"} == yaml.safe_load(outcome.out)
    assert "detected CustomResourceDefinitions: crds\n" == outcome.err
    assert not (sandbox.root / ".gitops-guard.yaml").exists()


def test_init_in_a_subdirectory_then_it_is_written_at_the_top(repo):
    sandbox = repo({"apps/a.yaml": GOOD})
    sandbox.run("init", directory="apps").assert_code(0)
    assert (sandbox.root / ".gitops-guard.yaml").exists()


def test_init_outside_of_git_then_the_directory_itself_gets_one(repo, tmp_path):
    (tmp_path / "plain").mkdir()
    repo().run("init", directory="../plain").assert_code(0)
    assert (tmp_path / "plain" / ".gitops-guard.yaml").exists()


def test_init_in_a_bare_repository_then_a_clear_error(repo, tmp_path):
    sandbox = repo().commit({"a.yaml": GOOD})
    sandbox.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    outcome = sandbox.run("init", directory="../bare")
    outcome.assert_code(2)
    assert "bare repository" in outcome.err


def test_init_when_names_are_hostile_then_what_is_written_still_loads(repo):
    hostile = 'evil\n"], fail-on: note #'
    files = {f"{hostile}/Chart.yaml": CHART, f"{hostile}/vendor/a.yaml": GOOD, "\udcff/crds.yaml": CRD}
    sandbox = repo(files)
    sandbox.run("init").assert_code(0)
    assert "fail-on: note" not in (sandbox.root / ".gitops-guard.yaml").read_text().replace("], fail-on: note #", "")
    assert {"fail-on": "error"} == yaml.safe_load((sandbox.root / ".gitops-guard.yaml").read_text())


def test_init_when_the_place_cannot_be_written_then_a_clear_error_and_nothing_half_written(repo):
    sandbox = repo()
    (sandbox.root / ".gitops-guard.yaml").mkdir()
    (sandbox.root / ".gitops-guard.yaml" / "full").touch()
    outcome = sandbox.run("init", "--force")
    outcome.assert_code(2)
    assert ".gitops-guard.yaml: cannot be written: " in outcome.err
    assert [] == list(sandbox.root.glob("*.tmp"))


def test_init_on_the_example_repository_then_each_of_its_tools_is_detected(repo):
    folder = ROOT / "examples" / "shop"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told = repo(files).run("init", "--force").out
    for what in ("kustomizations", "Helm charts: charts/catalog", "Flux", "Argo CD", "CustomResourceDefinitions: crds"):
        assert f"detected {what}" in told
