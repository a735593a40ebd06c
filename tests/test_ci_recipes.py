"""The recipes under deploy/ci: they parse, ask for no more than they need, and trust nothing that a pull request says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from groovy_parser.parser import parse_groovy_content
from lark.exceptions import UnexpectedInput

RECIPES = Path(__file__).parents[1] / "deploy" / "ci"
GITHUB = sorted(RECIPES.glob("github*.yaml"))
ACTIONS = [*GITHUB, *sorted(RECIPES.glob("gitea*.yaml"))]
RIGHTS = {
    "github.yaml": {"contents": "read", "security-events": "write"},
    "github-annotations.yaml": {"contents": "read"},
    "github-pr.yaml": {"contents": "read", "checks": "write", "pull-requests": "write"},
    "github-pr-plan.yaml": {"contents": "read"},
    "github-pr-report.yaml": {"actions": "read", "checks": "write", "pull-requests": "write"},
}


def steps(path):
    return [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_recipe_when_on_github_then_it_has_the_documented_rights_and_no_others(path):
    workflow = yaml.safe_load(path.read_text())
    assert {} == workflow["permissions"]
    assert [RIGHTS[path.name]] == [job["permissions"] for job in workflow["jobs"].values()]
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.name)
def test_recipe_when_it_runs_a_script_then_no_expression_stands_in_it(path):
    assert [] == [step["run"] for step in steps(path) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.name)
def test_recipe_when_it_uses_an_action_then_its_commit_is_named_and_beside_it_the_version(path):
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    assert [] == [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", one)]


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_recipe_when_it_holds_a_right_to_write_then_it_never_runs_for_a_fork_with_it(path):
    workflow = yaml.safe_load(path.read_text())
    triggers = workflow[True]  # YAML reads `on` as a boolean
    assert "pull_request_target" not in triggers
    if "workflow_run" in triggers:
        assert [] == [
            step
            for step in steps(path)
            if "checkout" in step.get("uses", "") or "gitops-guard pr" in step.get("run", "")
        ]


def test_recipe_when_on_gitlab_then_it_is_yaml_with_one_job():
    for path in sorted(RECIPES.glob("gitlab*.yaml")):
        (job,) = yaml.safe_load(path.read_text()).values()
        assert {"script", "rules", "image"} <= job.keys()


@pytest.mark.parametrize("path", sorted(RECIPES.glob("gitlab*.yaml")), ids=lambda path: path.name)
def test_recipe_when_gitlabs_schema_judges_it_then_it_is_valid(path, tmp_path):
    schema = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(path.read_text().replace("expire_in", "expires").replace("codequality", "code-quality"))

    found = [
        subprocess.run(
            [sys.executable, "-m", "check_jsonschema", *schema, file], capture_output=True, text=True, check=False
        )
        for file in (path, wrong)
    ]

    assert [0, 1] == [one.returncode for one in found], found[0].stdout


def test_recipe_when_jenkins_reads_it_then_it_is_groovy_with_balanced_blocks():
    text = (RECIPES / "Jenkinsfile").read_text()

    parse_groovy_content(text)
    with pytest.raises(UnexpectedInput):
        parse_groovy_content(text.replace("steps {", "steps", 1))


def test_recipe_when_actionlint_reads_it_then_it_finds_nothing(actionlint, tmp_path):
    too_old = (
        'the runner of "actions/upload-artifact@v3" action is too old'  # for GitHub; Gitea's runner knows no newer one
    )
    done = subprocess.run(
        [actionlint, "-ignore", too_old, "-shellcheck=", "-pyflakes=", *ACTIONS],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stdout)
