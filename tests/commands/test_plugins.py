"""Plugins through the whole command: what they bring, how a broken one is named, and whose code is run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
RULE = """
from gitops_guard.hookspecs import hookimpl
from gitops_guard.model import Problem, Severity


class Rule:
    id = "{id}"
    severity = Severity.WARNING
    kinds = ("ConfigMap",)
    summary = "Flags every ConfigMap."

    def check(self, resource, context):
        yield Problem(field=("kind",), message=f"found {{context.options}}")


@hookimpl
def gitops_guard_rules():
    return [Rule()]
"""
FORMAT = """
from gitops_guard.hookspecs import hookimpl


def write(report, out, options):
    out.write(f"{{len(report.findings)}} findings, {{sorted(options.summaries)[0]}}\\n")
    {extra}


@hookimpl
def gitops_guard_formats():
    return {{"{name}": write}}
"""
RENDERER = '''
from gitops_guard.hookspecs import hookimpl
from gitops_guard.model.renderer import RenderedResource


class Lines:
    """Each line `KIND NAME FIELD` of a .lines file is a resource."""

    name = "lines"

    def claims(self, path):
        {claims}

    def render(self, path, data, read):
        for number, line in enumerate(data.decode().splitlines(), 1):
            kind, name, field = line.split()
            yield RenderedResource(
                body={{"apiVersion": "v1", "kind": kind, "metadata": {{"name": name}}, field: {{}}}}, line=number
            )


@hookimpl
def gitops_guard_renderers():
    return [Lines()]
'''
CONFIG = """
from gitops_guard.hookspecs import hookimpl


@hookimpl
def gitops_guard_config():
    return {"ours": {"type": "object", "additionalProperties": False, "properties": {"size": {"type": "integer"}}}}
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a distribution: a module and a dist-info in a folder of sys.path."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def add(name: str, text: str, *, version: str = "1.2.0", module: str | None = None) -> None:
        package = re.sub(r"\W", "_", f"plug_{name}_{tmp_path}")
        (site / f"{package}.py").write_text(text)
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[gitops_guard]\n{name} = {module or package}\n")

    before = set(sys.modules)
    yield add
    for name in set(sys.modules) - before:
        if name.startswith(("plug_", "gitops_guard_plugin_")):
            del sys.modules[name]


def test_check_when_a_plugin_is_installed_then_its_rule_finds_and_rules_names_it(repo, install):
    install("acme-rules", RULE.format(id="acme-rule"))
    sandbox = repo({"a.yaml": GOOD, ".gitops-guard.yaml": "rules: {acme-rule: {size: 3}}\n"})
    outcome = sandbox.run("check")
    outcome.assert_findings(("a.yaml", 2, "acme-rule"))
    assert "found {'size': 3}" == outcome.json()["findings"][0]["message"]
    row = next(line for line in sandbox.run("rules").out.splitlines() if line.startswith("acme-rule"))
    assert "acme-rule warning acme-rules 1.2.0 Flags every ConfigMap." == " ".join(row.split())


@pytest.mark.parametrize(
    ("text", "module", "message"),
    [
        pytest.param("raise KeyError('x')\n", None, "could not be loaded: KeyError: 'x'", id="import fails"),
        pytest.param("raise SystemExit(0)\n", None, "could not be loaded: SystemExit: 0", id="import leaves"),
        pytest.param("(\n", None, "could not be loaded: SyntaxError", id="syntax"),
        pytest.param("", "plug_nowhere", "could not be loaded: ModuleNotFoundError", id="no module"),
        pytest.param("", "sys:nothing", "could not be loaded: AttributeError", id="no object"),
        pytest.param(RULE.format(id="b").replace("guard_rules()", "guard_rulez()"), None, "unknown hook 'gitops_guard_rulez'", id="misspelt hook"),
        pytest.param(RULE.format(id="b").replace("guard_rules()", "guard_rules(nonsense)"), None, "nonsense", id="wrong argument"),
        pytest.param(RULE.format(id="b").replace("return [Rule()]", "return 1 / 0"), None, "failed in gitops_guard_rules: ZeroDivisionError", id="hook fails"),
        pytest.param(RULE.format(id="b").replace("return [Rule()]", "return 7"), None, "failed in gitops_guard_rules: TypeError", id="hook returns no list"),
        pytest.param(RULE.format(id="b").replace("return [Rule()]", "yield Rule(); raise OSError(5)"), None, "failed in gitops_guard_rules: OSError", id="generator fails"),
        pytest.param(RULE.format(id="b").replace("Severity.WARNING", "'loud'"), None, "a model.Severity as severity", id="severity is a word"),
        pytest.param(RULE.format(id="b").replace('("ConfigMap",)', '"ConfigMap"'), None, "kinds as a tuple", id="kinds is a word"),
        pytest.param(RULE.format(id="b").replace('id = "b"', "pass"), None, "has no attribute 'id'", id="no id"),
        pytest.param(FORMAT.format(name="b", extra="").replace('{"b": write}', "5"), None, "failed in gitops_guard_formats: TypeError", id="formats"),
    ],
)  # fmt: skip
def test_check_when_an_installed_plugin_is_broken_then_it_is_named_and_hides_no_other(
    repo, install, text, module, message
):
    install("broken-rules", text, version="0.9", module=module)
    install("acme-rules", RULE.format(id="acme-rule"))
    sandbox = repo({"a.yaml": GOOD})
    outcome = sandbox.run("check")
    outcome.assert_code(2)
    outcome.assert_findings(("a.yaml", 2, "acme-rule"))
    (error,) = outcome.json()["errors"]
    assert (
        error["message"].startswith("plugin broken-rules of broken-rules 0.9 ")
        or "(broken-rules 0.9)" in error["message"]
    )
    assert message in error["message"]
    listed = sandbox.run("rules")
    listed.assert_code(2)
    assert message in listed.err
    assert "acme-rule" in listed.out
    sandbox.run("check", GITOPS_GUARD_DISABLE_PLUGINS="1").assert_clean()


@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param(("yield Problem(", "raise KeyError('hunter2'); yield Problem("), id="raises"),
        pytest.param(("yield Problem(", "return 5; yield Problem("), id="yields nothing sound"),
        pytest.param(("yield Problem(", "yield str("), id="yields no problem"),
        pytest.param(('field=("kind",)', "field=7"), id="field is no path"),
        pytest.param(('field=("kind",)', "field=(None,)"), id="field holds no key"),
        pytest.param(("message=f", "message=b"), id="message is bytes"),
    ],
)
def test_check_when_a_rule_fails_then_an_error_entry_names_rule_and_resource(repo, replaced):
    text = RULE.format(id="our-rule").replace(*replaced)
    if "return 5" in text:
        text = text.replace('return 5; yield Problem(field=("kind",), message=f"found {context.options}")', "return 5")
    sandbox = repo({"a.yaml": GOOD, "ours.py": text, "b.yaml": GOOD.replace("a}", "b}\ndta: 1")})
    outcome = sandbox.run("check", "-p", "ours.py")
    outcome.assert_code(2)
    errors = outcome.json()["errors"]
    assert [("a.yaml", "our-rule"), ("b.yaml", "our-rule")] == [(error["path"], error["rule"]) for error in errors]
    assert "rule our-rule failed on v1 ConfigMap a: " in errors[0]["message"]
    outcome.assert_findings(("b.yaml", 4, "unknown-field"))
    assert "hunter2" not in outcome.out + outcome.err


def test_check_when_two_rules_share_an_id_then_both_origins_are_named(repo, install):
    install("acme-rules", RULE.format(id="acme-rule"))
    sandbox = repo({"a.yaml": GOOD, "ours.py": RULE.format(id="acme-rule")})
    outcome = sandbox.run("check", "-p", "ours.py")
    outcome.assert_code(2)
    assert "rule acme-rule comes from acme-rules 1.2.0 and from ours.py" in outcome.err


def test_check_when_a_rule_takes_the_id_of_a_built_in_one_then_it_is_refused(repo):
    outcome = repo({"ours.py": RULE.format(id="unknown-field")}).run("check", "-p", "ours.py")
    outcome.assert_code(2)
    assert "rule unknown-field of ours.py has the id of a built-in rule" in outcome.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("raise KeyError('x')\n", "plugin file ours.py could not be run: KeyError", id="import fails"),
        pytest.param(RULE.format(id="b").replace("guard_rules()", "guard_rulez()"), "unknown hook 'gitops_guard_rulez'", id="misspelt hook"),
        pytest.param(RULE.format(id="b").replace("return [Rule()]", "return 1 / 0"), "plugin ours.py failed in gitops_guard_rules", id="hook fails"),
    ],
)  # fmt: skip
def test_check_when_a_plugin_that_was_asked_for_is_broken_then_nothing_is_checked(repo, text, message):
    outcome = repo({"a.yaml": GOOD, "ours.py": text}).run("check", "-p", "ours.py")
    outcome.assert_code(2)
    assert message in outcome.err
    assert "" == outcome.out


def test_check_format_when_a_plugin_brings_it_then_it_is_written(repo, install):
    install("acme-format", FORMAT.format(name="short", extra=""))
    outcome = repo({"a.yaml": GOOD + "dta: 1\n"}).call(["check", "--format", "short"])
    assert (1, "1 findings, all-powerful-role\n") == (outcome.code, outcome.out)


def test_check_format_when_it_is_a_built_in_name_then_both_are_named(repo):
    outcome = repo({"ours.py": FORMAT.format(name="json", extra="")}).run("check", "-p", "ours.py")
    outcome.assert_code(2)
    assert "format json comes from built-in and from ours.py" in outcome.err


def test_check_format_when_it_fails_then_the_plugin_is_blamed_and_not_we(repo):
    sandbox = repo({"a.yaml": GOOD, "ours.py": FORMAT.format(name="short", extra="raise KeyError('hunter2')")})
    outcome = sandbox.call(["check", "-p", "ours.py", "--format", "short"])
    outcome.assert_code(2)
    assert "format short failed: KeyError; tell its author" in outcome.err
    assert "hunter2" not in outcome.err


def test_check_when_a_renderer_claims_a_file_then_what_it_makes_is_judged(repo):
    files = {
        "ours.py": RENDERER.format(claims='return path.endswith(".lines")'),
        "a.lines": "ConfigMap a data\nConfigMap b dta\n",
    }
    sandbox = repo(files)
    sandbox.run("check", "-p", "ours.py").assert_findings(("a.lines", 2, "unknown-field"))
    outcome = sandbox.write({"b.lines": "too few\n"}).run("check", "-p", "ours.py")
    outcome.assert_code(2)
    assert "renderer lines failed: ValueError" in outcome.json()["errors"][0]["message"]
    outcome.assert_findings(("a.lines", 2, "unknown-field"))


def test_check_when_a_renderer_cannot_say_what_it_claims_then_it_is_named(repo):
    outcome = repo({"ours.py": RENDERER.format(claims="return 1 / 0"), "a.yaml": GOOD}).run("check", "-p", "ours.py")
    outcome.assert_code(2)
    assert "renderer lines failed on a.yaml: ZeroDivisionError" in outcome.err


@pytest.mark.parametrize(
    ("section", "code", "message"),
    [
        pytest.param("{ours: {size: 3}}", 0, "", id="fits"),
        pytest.param("{ours: {size: large}}", 2, ".gitops-guard.yaml:2: plugin-options.ours.size must satisfy type: integer", id="wrong type"),
        pytest.param("{ours: {seize: 3}}", 2, "plugin-options.ours", id="unknown key"),
        pytest.param("{our: {size: 3}}", 2, 'did you mean "ours"?', id="unknown section"),
    ],
)  # fmt: skip
def test_check_when_a_plugin_brings_a_section_then_the_configuration_is_held_to_it(repo, section, code, message):
    config = f"plugins: [ours.py]\nplugin-options: {section}\n"
    outcome = repo({"a.yaml": GOOD, "ours.py": CONFIG, ".gitops-guard.yaml": config}).run("check")
    outcome.assert_code(code)
    assert message in outcome.err


def test_check_when_the_schema_of_a_section_is_wrong_then_the_plugin_is_blamed(repo):
    config = "plugins: [ours.py]\nplugin-options: {ours: {size: 3}}\n"
    files = {
        "a.yaml": GOOD,
        "ours.py": CONFIG.replace('"type": "object"', '"type": "nothing"'),
        ".gitops-guard.yaml": config,
    }
    outcome = repo(files).run("check")
    outcome.assert_code(2)
    assert "the plugin's own JSON Schema is wrong" in outcome.err


def test_check_p_when_a_module_is_named_then_it_is_imported(repo, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "plug_by_name.py").write_text(RULE.format(id="by-name"))
    sandbox = repo({"a.yaml": GOOD})
    sandbox.run("check", "-p", "plug_by_name").assert_findings(("a.yaml", 2, "by-name"))
    sandbox.write({".gitops-guard.yaml": "plugins: [plug_by_name]\n"})
    sandbox.run("check").assert_findings(("a.yaml", 2, "by-name"))
    assert "module plug_by_name" in sandbox.run("rules").out


def test_check_p_when_a_path_is_named_then_it_is_relative_to_the_current_directory(repo):
    sandbox = repo({"apps/a.yaml": GOOD, "apps/ours.py": RULE.format(id="our-rule")})
    sandbox.run("check", "-p", "ours.py", directory="apps").assert_findings(("apps/a.yaml", 2, "our-rule"))
    sandbox.write({".gitops-guard.yaml": "plugins: [apps/ours.py]\n"})
    sandbox.run("check", directory="apps").assert_findings(("apps/a.yaml", 2, "our-rule"))


def test_check_staged_when_the_configuration_names_a_plugin_then_it_runs(repo):
    sandbox = repo().stage(
        {"a.yaml": GOOD, "ours.py": RULE.format(id="our-rule"), ".gitops-guard.yaml": "plugins: [ours.py]\n"}
    )
    sandbox.run("check", "--staged").assert_findings(("a.yaml", 2, "our-rule"))


@pytest.fixture
def pull_request(repo, tmp_path) -> tuple:
    """A trusted main with a rule, and a head that puts its own code into rule, list and configuration."""
    taken = tmp_path / "taken"
    evil = f"open({str(taken)!r}, 'w').close()\n"
    sandbox = repo().commit(
        {"a.yaml": GOOD, "ours.py": RULE.format(id="our-rule"), ".gitops-guard.yaml": "plugins: [ours.py]\n"}
    )
    sandbox.git("checkout", "--quiet", "-b", "head")
    config = "plugins: [evil.py, ours.py]\n"
    sandbox.commit({"b.yaml": GOOD.replace("a}", "b}"), "ours.py": evil, "evil.py": evil, ".gitops-guard.yaml": config})
    sandbox.git("checkout", "--quiet", "main")
    return sandbox, taken


@pytest.mark.parametrize(
    ("arguments", "findings"),
    [
        pytest.param(["--rev", "head", "--trusted-rev", "main"], ["a.yaml", "b.yaml"], id="trusted-rev"),
        pytest.param(["--from", "main", "--to", "head"], ["b.yaml"], id="from"),
    ],
)
def test_check_of_a_head_then_code_comes_from_the_trusted_revision_alone(pull_request, arguments, findings):
    sandbox, taken = pull_request
    outcome = sandbox.run("check", *arguments)
    outcome.assert_findings(*((path, 2, "our-rule") for path in findings))
    assert not taken.exists()


def test_check_of_a_head_without_a_trusted_revision_then_it_is_refused(pull_request):
    sandbox, taken = pull_request
    outcome = sandbox.run("check", "--rev", "head")
    outcome.assert_code(2)
    assert "code that head brings or picks is not run" in outcome.err
    assert "--trusted-rev" in outcome.err
    assert not taken.exists()


def test_check_of_a_head_when_it_picks_a_module_then_it_is_refused(pull_request):
    sandbox, taken = pull_request
    sandbox.git("checkout", "--quiet", "head")
    sandbox.commit({".gitops-guard.yaml": "plugins: [evil]\n"})  # in the current directory, which `python -m` searches
    environment = {**sandbox.environment, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "gitops_guard", "check", "--rev", "head"]
    done = subprocess.run(line, cwd=sandbox.root, env=environment, capture_output=True, timeout=60, check=False)
    assert 2 == done.returncode
    assert not taken.exists()


def test_check_of_a_head_when_the_trusted_revision_names_no_plugin_then_none_is_run(pull_request):
    sandbox, taken = pull_request
    sandbox.remove("ours.py", ".gitops-guard.yaml").commit()
    sandbox.run("check", "--rev", "head", "--trusted-rev", "main").assert_clean()
    assert not taken.exists()


def test_check_when_a_plugins_code_changes_then_no_old_verdict_is_believed(repo):
    sandbox = repo(
        {"a.yaml": GOOD, "ours.py": RULE.format(id="our-rule"), ".gitops-guard.yaml": "plugins: [ours.py]\n"}
    )
    sandbox.run("check").assert_findings(("a.yaml", 2, "our-rule"))
    sandbox.write({"ours.py": RULE.format(id="our-rule").replace('("kind",)', '("metadata",)')})
    sandbox.run("check").assert_findings(("a.yaml", 3, "our-rule"))


def fresh(sandbox, folder: Path):
    """Check in a process of its own, which imports the plugin anew."""
    environment = {**sandbox.environment, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    line = [sys.executable, "-m", "gitops_guard", "check"]
    done = subprocess.run(
        line, cwd=sandbox.root, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout.splitlines()[0]


def test_check_when_an_installed_plugin_changes_then_no_old_verdict_is_believed(repo, tmp_path):
    package, info = tmp_path / "site" / "acme_pkg", tmp_path / "site" / "acme-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gitops_guard]\nacme = acme_pkg.plugin\n")
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text("from acme_pkg.rule import gitops_guard_rules\n")
    sandbox = repo({"a.yaml": GOOD})
    for field, line in (("kind", 2), ("metadata", 3)):  # the version stays: an editable install
        (package / "rule.py").write_text(RULE.format(id="acme-rule").replace('("kind",)', f'("{field}",)'))
        for _ in range(2):
            assert re.match(rf"a\.yaml:{line}:\d+: warning acme-rule", fresh(sandbox, tmp_path / "site"))


def test_check_when_a_module_that_a_plugin_file_imports_changes_then_no_old_verdict_is_believed(repo, tmp_path):
    (tmp_path / "site").mkdir()
    own = RULE.format(id="our-rule").replace('("kind",)', "(FIELD,)")
    sandbox = repo(
        {"a.yaml": GOOD, ".gitops-guard.yaml": "plugins: [ours.py]\n", "ours.py": f"from beside import FIELD\n{own}"}
    )
    for field, line in (("kind", 2), ("metadata", 3)):
        (tmp_path / "site" / "beside.py").write_text(f'FIELD = "{field}"  # {line}\n')
        for _ in range(2):
            assert re.match(rf"a\.yaml:{line}:\d+: warning our-rule", fresh(sandbox, tmp_path / "site"))


def test_check_when_plugins_are_disabled_then_the_repositorys_own_still_run(repo, install):
    install("acme-rules", RULE.format(id="acme-rule"))
    sandbox = repo({"a.yaml": GOOD, "ours.py": RULE.format(id="our-rule")})
    outcome = sandbox.run("check", "-p", "ours.py", GITOPS_GUARD_DISABLE_PLUGINS="1")
    outcome.assert_findings(("a.yaml", 2, "our-rule"))


def test_example_plugin_has_the_page_that_its_folder_holds():
    folder = ROOT / "examples" / "plugin" / "gitops_guard_team_label"
    assert (folder / "missing-team-label.md").read_text(encoding="utf-8").startswith("# missing-team-label\n")
