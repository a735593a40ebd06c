"""Rules written as functions, through the whole command: fixtures, options, failures, lists and pages."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from gitops_guard.authoring import Problem, fixture, rule
from gitops_guard.model import Origin, Resource, ResourceId

HEAD = """from gitops_guard.authoring import Option, Problem, Unevaluated, fixture, rule

"""
REPLICAS = f'''{HEAD}
@fixture
def replicas(body):
    return body["spec"].get("replicas", 1)


@rule(severity="warning", kinds=["Deployment.apps"], options={{"least": 2}})
def too_few_replicas(replicas, least):
    """A Deployment that a drain takes down.

    Two pods are the least that a drain leaves one of.
    """
    if replicas < least:
        yield Problem(field=("spec", "replicas"), message=f"fewer than {{least}}")
'''
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {team: shop}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1"}]
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
PLUGIN = "plugins: [tools/rules.py]\npolicies: []\n"
FOUND = ("web.yaml", 5, "too-few-replicas")
Repo = Callable[..., Any]


def files(text: str, config: str = PLUGIN, **more: str) -> dict[str, str]:
    return {"tools/rules.py": text, ".gitops-guard.yaml": config, "web.yaml": WEB, **more}


def simple(body: str, arguments: str = "", decorator: str = "@rule(id='simple')") -> str:
    lines = "\n    ".join(body.split("\n"))
    return f'{HEAD}\n{decorator}\ndef simple({arguments}):\n    """Something."""\n    {lines}\n'


def test_check_when_a_rule_is_a_function_then_it_finds_with_line_and_severity(repo: Repo) -> None:
    outcome = repo(files(REPLICAS)).run("check")
    outcome.assert_findings(FOUND)
    (finding,) = outcome.json()["findings"]
    assert ("warning", "fewer than 2", 0) == (finding["severity"], finding["message"], outcome.code)


def test_check_when_the_configuration_sets_an_option_then_the_argument_has_it(repo: Repo) -> None:
    config = PLUGIN + "rules: {too-few-replicas: {least: 1}}\n"
    repo(files(REPLICAS, config)).run("check").assert_clean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param("{leest: 1}", '.gitops-guard.yaml:3: unknown key "leest" in rules.too-few-replicas; did you mean "least"?', id="unknown"),
        pytest.param("{least: many}", ".gitops-guard.yaml:3: rules.too-few-replicas.least must satisfy type: integer", id="type"),
        pytest.param("3", ".gitops-guard.yaml:3: rules.too-few-replicas must be a mapping of options", id="no mapping"),
    ],
)  # fmt: skip
def test_check_when_an_option_does_not_fit_then_the_configuration_is_wrong(
    repo: Repo, options: str, message: str
) -> None:
    outcome = repo(files(REPLICAS, f"{PLUGIN}rules: {{too-few-replicas: {options}}}\n")).run("check")
    assert (2, True) == (outcome.code, message in outcome.err), outcome.err


def test_check_when_a_rule_declares_no_options_then_none_is_taken(repo: Repo) -> None:
    outcome = repo(files(simple("return"), f"{PLUGIN}rules: {{simple: {{a: 1}}}}\n")).run("check")
    assert (2, True) == (outcome.code, "rules.simple: this rule has no options" in outcome.err)


def test_check_when_an_option_has_a_schema_then_it_decides(repo: Repo) -> None:
    text = simple("return", decorator="@rule(options={'mode': Option('any', {'enum': ['any', 'all']}, 'Which.')})")
    outcome = repo(files(text, f"{PLUGIN}rules: {{simple: {{mode: none}}}}\n")).run("check")
    assert (2, True) == (outcome.code, "rules.simple.mode must satisfy enum: ['any', 'all']" in outcome.err)


@pytest.mark.parametrize(
    ("body", "arguments", "expected"),
    [
        pytest.param("yield Problem(field=('kind',), message=resource.id.name)", "resource", "web", id="resource"),
        pytest.param("return [Problem(field=(), message=body['kind'])]", "body", "Deployment", id="body, returned as a list"),
        pytest.param("return Problem(field=(), message=kubernetes_versions[-1])", "kubernetes_versions", "1.35", id="versions, returned alone"),
        pytest.param("yield Problem(field=(), message=str(options))", "*, options", "{'a-b': 1}", id="options, by keyword"),
        pytest.param("yield Problem(field=(), message=str(a_b))", "a_b", "1", id="option by its name"),
        pytest.param("yield Problem(field=(), message=repository.find('ConfigMap', 'a').origin.path)", "repository", "map.yaml", id="repository, find"),
        pytest.param("yield Problem(field=(), message=repository.read('OWNERS').decode())", "repository", "team-a", id="repository, read"),
        pytest.param("yield Problem(field=(), message=' '.join(repository.paths))", "repository", ".gitops-guard.yaml OWNERS map.yaml tools/rules.py web.yaml", id="repository, paths"),
        pytest.param("yield Problem(field=(), message=str(len(repository.resources('Deployment.apps', name='w*'))))", "repository", "1", id="repository, resources"),
        pytest.param("yield Problem(field=(), message=str(repository.resources('Deployment.extensions')))", "repository", "[]", id="repository, another group"),
    ],
)  # fmt: skip
def test_check_when_a_rule_asks_for_something_then_it_is_given(
    repo: Repo, body: str, arguments: str, expected: str
) -> None:
    text = simple(body, arguments, "@rule(kinds='Deployment', options={'a-b': 1})")
    sandbox = repo(
        files(text, f"{PLUGIN}kubernetes-versions: ['1.34', '1.35']\n", OWNERS="team-a", **{"map.yaml": MAP})
    )
    assert [expected] == [one["message"] for one in sandbox.run("check").json()["findings"]]


def test_check_when_a_rule_looks_at_the_repository_then_a_change_elsewhere_counts(repo: Repo) -> None:
    body = "if repository.find('ConfigMap', 'a') is None:\n    yield Problem(field=('kind',), message='no a')"
    text = simple(body, "repository", "@rule(kinds=['Deployment'])")
    sandbox = repo(files(text, **{"map.yaml": MAP})).commit()
    for _ in range(2):
        sandbox.run("check").assert_clean()
    sandbox.stage({"map.yaml": MAP.replace("name: a", "name: b")})
    sandbox.run("check").assert_findings(("web.yaml", 2, "simple"))
    sandbox.run("check", "--rev", "HEAD", "--trusted-rev", "HEAD").assert_clean()


def test_check_when_a_fixture_needs_no_resource_then_it_is_made_once_a_run(repo: Repo, tmp_path: Any) -> None:
    log = tmp_path / "log"
    text = f"""{HEAD}
def note(word):
    with open({str(log)!r}, "a") as stream:
        stream.write(word)


@fixture
def names(repository):
    note("n")
    return {{one.id.name for one in repository.resources("ConfigMap")}}


@fixture
def many(names):
    note("m")
    return len(names)


@fixture
def own(resource, many):
    note("o")
    return resource.id.name, many


@rule(kinds=["ConfigMap"])
def counted(own):
    \"\"\"Counts.\"\"\"
    yield Problem(field=("kind",), message=f"{{own}}")
"""
    maps = "---\n".join(MAP.replace("name: a", f"name: {name}") for name in "abc")
    outcome = repo(files(text, **{"map.yaml": maps})).run("check")
    assert ["('a', 3)", "('b', 3)", "('c', 3)"] == [one["message"] for one in outcome.json()["findings"]]
    assert "nmooo" == log.read_text()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param("raise KeyError('hunter2')", "KeyError at tools/rules.py:7; tell its author", id="raises"),
        pytest.param("import json\njson.loads('{')", "JSONDecodeError at tools/rules.py:8; tell its author", id="raises elsewhere"),
        pytest.param("yield Problem(field=(), message='a')\nyield 'hunter2'", "it yields a str (tools/rules.py:8); yield Problem(", id="yields text"),
        pytest.param("return 'hunter2'", "it returns a str (tools/rules.py:4); yield Problem(", id="returns text"),
        pytest.param("return 7", "it returns a int (tools/rules.py:4)", id="returns a number"),
        pytest.param("return [None]", "it yields a NoneType (tools/rules.py:4)", id="list of nothing"),
        pytest.param("yield Problem(field=None, message='a')", "TypeError", id="field is nothing"),
    ],
)  # fmt: skip
def test_check_when_a_rule_fails_then_rule_line_and_resource_are_named_and_others_go_on(
    repo: Repo, body: str, message: str
) -> None:
    text = simple(body) + REPLICAS.removeprefix(HEAD)
    outcome = repo(files(text)).run("check")
    (error,) = outcome.json()["errors"]
    assert (2, "web.yaml", 1, "simple") == (outcome.code, error["path"], error["line"], error["rule"])
    assert f"rule simple failed on apps/v1 Deployment web: {message}" in error["message"]
    assert FOUND in [(one["path"], one["line"], one["rule"]) for one in outcome.json()["findings"]]
    assert "hunter2" not in outcome.out + outcome.err


def test_check_when_a_fixture_fails_then_its_line_is_named(repo: Repo) -> None:
    outcome = repo(files(REPLICAS.replace('body["spec"]', 'body["spek"]'))).run("check")
    assert "rule too-few-replicas failed on apps/v1 Deployment web: KeyError at tools/rules.py:6;" in outcome.out


def test_check_when_a_rule_of_a_trusted_revision_fails_then_the_path_is_the_repositorys(repo: Repo) -> None:
    sandbox = repo(files(simple("raise KeyError"))).commit()
    outcome = sandbox.run("check", "--rev", "HEAD", "--trusted-rev", "HEAD")
    assert "KeyError at tools/rules.py:7" in outcome.json()["errors"][0]["message"]


def test_check_when_a_rule_cannot_tell_then_the_resource_is_not_validated(repo: Repo) -> None:
    outcome = repo(files(simple("yield Unevaluated(reason='simple: ask the cluster')"))).run("check")
    coverage = outcome.json()["coverage"]
    assert (0, 1) == (coverage["validated"], coverage["schema_only"])
    assert "simple: ask the cluster" in [one["reason"] for one in coverage["skipped"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(simple("return", "resourze"), "tools/rules.py:4: rule simple asks for 'resourze', and there is no such fixture; did you mean 'resource'?", id="unknown fixture"),
        pytest.param(simple("return", "xyzzy"), "there are body, kubernetes_versions, options, references, repository, resource", id="nothing near"),
        pytest.param(f"{HEAD}\n@fixture\ndef one(onee):\n    return 1\n\n{simple('return', 'one').removeprefix(HEAD)}", "tools/rules.py:4: fixture one asks for 'onee', and there is no such fixture; did you mean 'one'?", id="unknown fixture of a fixture"),
        pytest.param(f"{HEAD}\n@fixture\ndef one(two):\n    return 1\n\n\n@fixture\ndef two(one):\n    return 1\n{simple('return', 'one').removeprefix(HEAD)}", "fixtures need one another: one -> two -> one", id="circle"),
        pytest.param(f"{HEAD}\n@fixture\ndef one():\n    yield 1\n", "tools/rules.py:4: fixture one yields; return the value", id="fixture yields"),
        pytest.param(f"{HEAD}\n@fixture\ndef body():\n    return 1\n", "has the name of a built-in one", id="fixture with a name of ours"),
        pytest.param(simple("return", "a=1"), "argument a has a default, and fixtures have none; declare it in options=", id="default"),
        pytest.param(simple("return", "*all"), "has the argument *all; every argument is a fixture by its name", id="star"),
        pytest.param(simple("return").replace("def ", "async def "), "is async; write it with def", id="async"),
        pytest.param(simple("return", decorator="@rule(severity='loud')"), "tools/rules.py:4: rule simple: severity must be one of error, warning, note, not 'loud'", id="severity"),
        pytest.param(simple("return", decorator="@rule(id='Bad Id')"), "'Bad Id' is no rule id", id="id"),
        pytest.param(simple("return", decorator="@rule(kinds=[])"), "kinds must name at least one kind", id="kinds"),
        pytest.param(simple("return", decorator="@rule(options={'A b': 1})"), "option 'A b' needs a name such as max-replicas", id="option name"),
        pytest.param(simple("return", decorator="@rule(options={'a': {1}})"), "the default of option a is a set; give an Option with a schema", id="option default"),
        pytest.param(simple("return", decorator="@rule(page='simple.md')"), "the page simple.md beside the module cannot be read: FileNotFoundError", id="page"),
        pytest.param(simple("return").replace('"""Something."""', "pass"), "it needs a docstring or a summary", id="no docstring"),
        pytest.param(f"{HEAD}\n@rule\nclass Simple:\n    pass\n", "@rule marks functions, and type is none", id="class"),
        pytest.param(f"{simple('return')}\nother = rule(id='simple')(lambda: None)\n", "it needs a docstring or a summary", id="lambda"),
        pytest.param(simple("return") + simple("return").replace("def simple", "def other").removeprefix(HEAD), "rule simple comes from tools/rules.py and from tools/rules.py", id="id twice"),
    ],
)  # fmt: skip
def test_check_when_a_rule_is_written_wrongly_then_nothing_is_checked_and_the_line_is_named(
    repo: Repo, text: str, message: str
) -> None:
    outcome = repo(files(text)).run("check")
    assert (2, True, "") == (outcome.code, message in outcome.err, outcome.out), outcome.err


def test_check_when_the_hook_returns_a_function_rule_too_then_it_is_one_rule(repo: Repo) -> None:
    hook = "\nfrom gitops_guard.hookspecs import hookimpl\n\n\n@hookimpl\ndef gitops_guard_rules():\n    return [too_few_replicas]\n"
    repo(files(REPLICAS + hook)).run("check").assert_findings(FOUND)


def test_rules_and_explain_when_a_rule_is_a_function_then_name_its_file_and_print_its_docstring(repo: Repo) -> None:
    sandbox = repo(files(REPLICAS))
    row = next(line for line in sandbox.run("rules").out.splitlines() if line.startswith("too-few-replicas"))
    assert "too-few-replicas warning tools/rules.py A Deployment that a drain takes down." == " ".join(row.split())
    page = sandbox.run("explain", "too-few-replicas").out
    assert page.startswith("# too-few-replicas\n\nA Deployment that a drain takes down.\n\nTwo pods are the least")
    assert "rules:\n  too-few-replicas:\n    least: 2\n" in page
    assert "- severity: warning\n- kinds: Deployment.apps\n" in page


def test_explain_when_a_rule_names_a_page_then_it_is_printed_also_from_a_trusted_revision(repo: Repo) -> None:
    text = simple("yield Problem(field=('kind',), message='a')", decorator="@rule(page='simple.md')")
    sandbox = repo(files(text, **{"tools/simple.md": "# simple\n\nOur page.\n"})).commit()
    assert "# simple\n\nOur page.\n" == sandbox.run("explain", "simple").out
    sandbox.run("check", "--rev", "HEAD", "--trusted-rev", "HEAD").assert_findings(("web.yaml", 2, "simple"))


@fixture
def services(references: set[str]) -> list[str]:
    return sorted(references)


def routed(services: list[str]) -> Iterator[Problem]:
    """A Deployment that something routes to."""
    yield from (Problem(field=(), message="routed") for _ in services)


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        pytest.param(None, ["rule routed not evaluated: only told where the whole repository is looked at"], id="not known"),
        pytest.param({"Service web"}, ["routed"], id="known"),
        pytest.param(set(), [], id="known to be none"),
    ],
)  # fmt: skip
def test_rule_when_it_asks_for_references_then_has_those_of_the_run(references: Any, expected: list[str]) -> None:
    made = rule(routed)
    context = SimpleNamespace(kubernetes_versions=("1.37",), options={}, references=references)
    identity = ResourceId(group="apps", version="v1", kind="Deployment", namespace="", name="web")
    resource = Resource(id=identity, body={}, origin=Origin(path="a.yaml", document=0, line=1))
    found = [one.message if isinstance(one, Problem) else one.reason for one in made.check(resource, context)]
    assert (True, expected) == (made.needs_references, found)
