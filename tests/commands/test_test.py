"""`gitops-guard test`: policy folders run as tests."""

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest

POLICY = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: config-map-size}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [configmaps]}]
  validations:
  - expression: object == null || object.data.size != 'big'
    message: too big
  - expression: object == null || oldObject == null || object.data.size == oldObject.data.size
    message: may not change
  - expression: request.operation != 'DELETE'
    message: never remove
"""
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\ndata:\n  size: small\n"
BAD = GOOD.replace("small", "big  # finding: config-map-size")
FOLDER = "policies/config-map-size"
Repo = Callable[..., Any]
SCHEMA = json.loads(files("gitops_guard.policy").joinpath("test.schema.json").read_text("utf-8"))


def folder(**files: str) -> dict[str, str]:
    base = {"policy.yaml": POLICY, "pass/small.yaml": GOOD, "fail/big.yaml": BAD}
    return {f"{FOLDER}/{name}": text for name, text in {**base, **files}.items()}


def test_test_when_all_is_as_marked_then_it_is_clean(repo: Repo) -> None:
    outcome = repo(folder()).run("test")
    assert (0, "2 passed, 0 failed, 0 errors; 1 policies\n") == (outcome.code, outcome.out)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({"fail/big.yaml": BAD.replace("  # finding: config-map-size", "")}, "line 5: reported without a mark: too big", id="no mark"),
        pytest.param({"fail/big.yaml": BAD.replace("big  #", "small  #")}, "line 5: not reported", id="not reported"),
        pytest.param({"pass/small.yaml": GOOD.replace("small", "big")}, "line 5: reported without a mark: too big", id="pass that fails"),
        pytest.param({"fail/big.yaml": BAD.replace("config-map-size", "other")}, "line 5: not reported", id="another rule"),
        pytest.param({"fail/big.yaml": GOOD}, "has no mark", id="fail without a mark"),
        pytest.param({"policy.yaml": POLICY.replace("configmaps", "secrets")}, "it was evaluated 0 times", id="never evaluated"),
        pytest.param({"policy.yaml": POLICY.replace("request.operation != 'DELETE'", "request.userInfo.username != ''")}, "not evaluated: who sends", id="unknown"),
    ],
)  # fmt: skip
def test_test_when_a_case_is_not_as_marked_then_it_fails(repo: Repo, files: dict[str, str], message: str) -> None:
    outcome = repo(folder(**files)).run("test")
    assert (1, True) == (outcome.code, message in outcome.out)


def test_test_when_there_is_a_before_file_then_the_case_is_an_update(repo: Repo) -> None:
    changed = GOOD.replace("small", "tiny  # finding: config-map-size")
    gone = "apiVersion: v1  # finding: config-map-size\n" + GOOD.split("\n", 1)[1].replace("name: a", "name: c")
    files = {"fail/change.yaml": changed, "fail/change.before.yaml": GOOD}
    repo(folder(**files, **{"fail/gone.yaml": gone, "fail/gone.before.yaml": GOOD})).run("test").assert_code(0)


def test_test_when_a_policy_does_not_compile_then_it_could_not_check(repo: Repo) -> None:
    outcome = repo(folder(**{"policy.yaml": POLICY.replace("object.data.size !=", "object.data.size !")})).run("test")
    assert (2, True) == (outcome.code, f"{FOLDER}/policy.yaml:8:" in outcome.out)


def test_test_when_there_is_nothing_to_test_then_it_says_so(repo: Repo) -> None:
    outcome = repo({"web.yaml": GOOD}).run("test", ".")
    assert (2, True) == (outcome.code, "no policy folder there" in outcome.err)


def test_test_when_asked_for_json_then_it_is_the_contract(repo: Repo) -> None:
    content = repo(folder()).run("test", "policies", "--format", "json").json()
    assert (1, 2, 0, 0) == (content["version"], content["passed"], content["failed"], content["skipped"])
    case = {
        key: content["cases"][0][key] for key in ("suite", "case", "policy", "resource", "expected", "actual", "ok")
    }
    expected = [FOLDER, "fail/big.yaml", "config-map-size", "v1 ConfigMap b/a", "fail", "fail", True]
    assert expected == list(json.loads(json.dumps(case)).values())


def test_test_when_asked_for_junit_then_failures_are_counted(repo: Repo) -> None:
    outcome = repo(folder(**{"fail/big.yaml": GOOD})).run("test", "--format", "junit")
    (suite,) = Xml.fromstring(outcome.out)
    assert ["config-map-size fail/big.yaml", "config-map-size pass/small.yaml"] == [case.get("name") for case in suite]
    assert "has no mark" in suite[0][0].get("message")
    assert ("2", "1", "0") == (suite.get("tests"), suite.get("failures"), suite.get("errors"))


def test_test_when_marks_are_written_then_it_is_clean(repo: Repo) -> None:
    sandbox = repo(folder(**{"fail/big.yaml": GOOD.replace("small", "big")}))
    sandbox.run("test", "--write-marks").assert_code(0)
    assert BAD == (sandbox.root / FOLDER / "fail/big.yaml").read_text()


@pytest.mark.parametrize(
    ("files", "counts"),
    [
        pytest.param({}, [2, 0, 0, 0], id="clean"),
        pytest.param({"fail/big.yaml": GOOD}, [1, 1, 0, 0], id="failed"),
        pytest.param({"policy.yaml": POLICY.replace("configmaps", "secrets")}, [1, 2, 0, 0], id="never evaluated"),
        pytest.param({"policy.yaml": POLICY.replace("!= 'big'", "!")}, [0, 0, 0, 1], id="does not compile"),
        pytest.param({"policy.yaml": POLICY.replace("request.operation != 'DELETE'", "request.userInfo.username != ''")}, [0, 2, 0, 0], id="unknown"),
    ],
)  # fmt: skip
def test_test_when_asked_for_json_then_it_fits_its_schema_and_the_counts_are_true(
    repo: Repo, files: dict[str, str], counts: list[int]
) -> None:
    content = repo(folder(**files)).run("test", "--format", "json").json()
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(content)
    assert counts == [content["passed"], content["failed"], content["skipped"], len(content["errors"])]
    assert content["passed"] == [case["ok"] for case in content["cases"]].count(True)


def test_test_when_an_example_is_hostile_then_every_format_stays_whole(repo: Repo) -> None:
    name = "fail/\x1b[31m\u202e.yaml"
    sandbox = repo(folder(**{name: GOOD.replace("name: a", 'name: "\\0\\e[31m::error::"')}))
    for output_format in ("text", "json", "junit"):
        outcome = sandbox.run("test", "--format", output_format)
        assert (1, set()) == (outcome.code, set(outcome.out) & {"\x1b", "\0", "\u202e"})
    Xml.fromstring(outcome.out)
