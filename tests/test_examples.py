"""The example repository stays what its README says: right outside `broken/`, wrong in one marked way inside."""

import re
import subprocess
import sysconfig
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

SHOP = Path(__file__).parents[1] / "examples" / "shop"
BROKEN = sorted((SHOP / "broken").glob("*.yaml"))
KUSTOMIZATIONS = sorted(path.parent for path in SHOP.rglob("kustomization.yaml"))
CHART = SHOP / "charts" / "catalog"
WITHOUT_SCHEMA = {"AppProject", "Application", "GitRepository", "HelmRelease", "Kustomization", "Rollout"}
DOCUMENTED_RULES = {
    "backend-port-missing",
    "deprecated-api",
    "invalid-value",
    "missing-config-key",
    "missing-config-map",
    "missing-field",
    "removed-api",
    "service-port-missing",
    "service-selects-nothing",
    "single-replica",
    "suppression-expired",
    "unknown-field",
    "unknown-kind",
    "unsupported-value",
    "wrong-type",
    "yaml-bool-word",
    "yaml-duplicate-key",
    "yaml-octal",
    "yaml-syntax",
    "yaml-wrong-scalar",
}


def marked_findings(path: Path) -> list[tuple[int, str]]:
    """Return the (line, rule) pairs that a file of `broken/` says are to be found in it."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        mark = re.search(r"# finding(-below)?: ([a-z-]+(?:, [a-z-]+)*)$", line)
        if mark:
            place = number + 1 if mark[1] else number
            found += [(place, rule) for rule in mark[2].split(", ")]
    return found


def build(directory: Path) -> list[dict]:
    kubectl = Path(sysconfig.get_path("scripts")) / "kubectl"
    done = subprocess.run([kubectl, "kustomize", directory], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.load_all(done.stdout, yaml.CSafeLoader))


def relative(path: Path) -> str:
    return path.relative_to(SHOP).as_posix()


def lookup(values: dict, dotted: str) -> object:
    node = values
    for key in dotted.split("."):
        node = node[key]
    return node


@pytest.mark.parametrize("directory", KUSTOMIZATIONS, ids=relative)
def test_kustomization_when_built_then_every_object_fits_its_strict_schema(directory):
    without_schema = set()
    documents = build(directory)
    for document in documents:
        try:
            kubernetes_validate.validate(document, "1.37", strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            without_schema.add(document["kind"])
    assert documents
    assert without_schema <= WITHOUT_SCHEMA


@pytest.mark.parametrize("cluster", ["staging", "production"])
def test_cluster_when_it_names_a_path_then_the_path_exists(cluster):
    specs = [document["spec"] for document in build(SHOP / "clusters" / cluster)]
    paths = {spec.get("path") or spec.get("source", {}).get("path") for spec in specs} - {None}
    assert len(paths) >= 7
    assert sorted(path for path in paths if not (SHOP / path).is_dir()) == []


def test_patches_when_an_overlay_lists_them_then_no_patch_file_is_left_over():
    listed = set()
    for directory in KUSTOMIZATIONS:
        kustomization = yaml.safe_load((directory / "kustomization.yaml").read_text(encoding="utf-8"))
        names = [
            *kustomization.get("resources", []),
            *(patch.get("path") for patch in kustomization.get("patches", [])),
        ]
        listed |= {directory / name for name in names if name and name.endswith(".yaml")}
    written = {path for folder in ("apps", "infrastructure", "clusters") for path in (SHOP / folder).rglob("*.yaml")}
    assert sorted(path for path in written if path.name != "kustomization.yaml") == sorted(listed)


def test_chart_when_a_template_uses_a_value_then_values_yaml_has_it():
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    text = "".join(path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir())
    used = set(re.findall(r"\.Values\.([A-Za-z.]+)", text))
    assert len(used) >= 10
    for dotted in used:
        lookup(values, dotted)


@pytest.mark.parametrize("cluster", ["staging", "production"])
def test_chart_when_a_cluster_has_values_then_each_overrides_a_default(cluster):
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    text = (CHART / f"values-{cluster}.yaml").read_text(encoding="utf-8")
    for name, value in yaml.safe_load(text).items():
        assert not isinstance(value, dict) or set(value) <= set(defaults[name])


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_broken_file_when_read_then_its_first_line_names_the_rule_that_is_marked(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = re.fullmatch(r"# Wrong.*: .+ Rule: ([a-z-]+)( \(suppressed\))?", first)
    marked = {rule for _, rule in marked_findings(path)}
    assert named
    assert (named[1] in marked) is (named[2] is None)
    assert marked - {"single-replica", "unknown-field"} <= {named[1]}


def test_broken_files_when_taken_together_then_they_show_every_documented_rule():
    assert {rule for path in BROKEN for _, rule in marked_findings(path)} == DOCUMENTED_RULES


def test_readme_when_it_lists_the_broken_files_then_none_is_missing():
    text = (SHOP / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in BROKEN] == sorted(re.findall(r"^\| `([a-z0-9-]+\.yaml)` \|", text, re.MULTILINE))
