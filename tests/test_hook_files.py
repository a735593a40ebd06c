"""The files that pre-commit reads: valid by pre-commit's own schema, and saying what they should."""

import re
from pathlib import Path

import pytest
import yaml
from pre_commit.clientlib import load_config, load_manifest

ROOT = Path(__file__).parents[1]


def own_hook(name: str) -> dict:
    hooks = load_config(str(ROOT / ".pre-commit-config.yaml"))["repos"][0]["hooks"]
    return next(hook for hook in hooks if hook["id"] == name)


def test_shipped_hooks_when_loaded_by_pre_commit_then_both_are_there():
    hooks = {hook["id"]: hook for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))}
    seen = {name: (hook["pass_filenames"], hook["always_run"], hook["types_or"]) for name, hook in hooks.items()}
    assert seen == {"gitops-guard": (True, False, ["yaml", "json"]), "gitops-guard-all": (False, True, [])}


@pytest.mark.parametrize(
    ("hook", "entry"),
    [
        pytest.param("gitops-guard", "gitops-guard check --staged", id="changed-files"),
        pytest.param("gitops-guard-all", "gitops-guard check --staged .", id="whole-index"),
    ],
)
def test_shipped_hook_when_run_then_one_process_reads_the_index(hook, entry):
    hooks = {hook["id"]: hook for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))}
    assert (hooks[hook]["entry"], hooks[hook]["require_serial"]) == (entry, True)


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        pytest.param("changelog.d/3.added.md", False, id="right"),
        pytest.param("changelog.d/README.md", False, id="readme"),
        pytest.param("changelog.d/3.new.md", True, id="unknown-type"),
        pytest.param("changelog.d/added.md", True, id="no-issue"),
        pytest.param("changelog.d/03.added.md", True, id="leading-zero"),
        pytest.param("changelog.d/3.added.rst", True, id="not-markdown"),
        pytest.param("changelog.d/old/3.added.md", True, id="folder"),
        pytest.param("docs/3.new.md", False, id="elsewhere"),
    ],
)
def test_changelog_hook_when_a_fragment_is_named_then_only_right_names_pass(path, refused):
    hook = own_hook("changelog-fragment-name")
    assert (bool(re.search(hook["files"], path)) and not re.search(hook["exclude"], path)) is refused


@pytest.mark.parametrize("path", sorted((ROOT / "changelog.d").iterdir()), ids=lambda path: path.name)
def test_changelog_fragments_when_listed_then_each_has_a_right_name(path):
    assert re.search(own_hook("changelog-fragment-name")["exclude"], f"changelog.d/{path.name}")


@pytest.mark.parametrize("path", sorted((ROOT / "deploy" / "ci").glob("*.yaml")), ids=lambda path: path.stem)
def test_ci_example_when_read_then_it_is_yaml_and_runs_us(path):
    text = path.read_text(encoding="utf-8")
    assert isinstance(yaml.safe_load(text), dict)
    assert re.search(r"gitops-guard (check|pr|report)\b", text)
