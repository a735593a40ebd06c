"""Which names and functions an expression may use: by its user and by the cluster's version."""

from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.cel import (
    PROFILE_NAMES,
    Authorizer,
    CelCompileError,
    CelError,
    CelUnknown,
    Library,
    Message,
    ResourceCheck,
    compile_expression,
    escape_field,
    extended,
    profile,
    unescape_field,
)

Evaluate = Callable[..., Any]

SINCE = [
    ("authorizer.path('/') != null", "1.27"),
    ("object.?a.hasValue()", "1.28"),
    ("object.?a != null", "1.28"),
    ("object[?0] != null", "1.28"),
    ("[?object] != null", "1.28"),
    ("{?'a': object} != null", "1.28"),
    ("isQuantity('1')", "1.28"),
    ("'%s'.format([1])", "1.29"),
    ("strings.quote('a')", "1.29"),
    ("sets.contains([1], [1])", "1.29"),
    ("isIP('::1')", "1.30"),
    ("isCIDR('::1/1')", "1.30"),
    ("format.dns1123Label().validate('a').hasValue()", "1.31"),
    ("[1].all(i, v, true)", "1.32"),
    ("isSemver('1.2.3')", "1.33"),
    ("[1].distinct() == [1]", "1.34"),
    ("[1].sortBy(e, e) == [1]", "1.34"),
    ("[1].includes(1)", "1.37"),
]


@pytest.mark.parametrize(("source", "version"), [pytest.param(*row, id=row[0]) for row in SINCE])
def test_function_when_the_cluster_is_older_then_is_refused(source: str, version: str) -> None:
    older = f"1.{int(version.removeprefix('1.')) - 1}"
    compile_expression(source, environment=profile("vap", version))
    with pytest.raises(CelCompileError):
        compile_expression(source, environment=profile("vap", older))


NEVER = ["cel.bind(a, 1, a)", "math.abs(1)", "base64.encode(b'a')", "regex.replace('a', 'a', 'b')", "'a'.reverse()"]


@pytest.mark.parametrize("source", NEVER)
@pytest.mark.parametrize("name", ["vap", "map", "crd", "gatekeeper"])
def test_extension_when_the_api_server_evaluates_then_is_refused(name: str, source: str) -> None:
    with pytest.raises(CelCompileError):
        compile_expression(source, environment=profile(name, "1.40"))
    compile_expression(source, environment=profile("kyverno"))


ROOTS = {
    "vap": {"object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer"},
    "map": {"object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer"},
    "crd": {"self", "oldSelf"},
    "gatekeeper": {"object", "oldObject", "request", "namespaceObject", "variables"},
    "kyverno": {"object", "oldObject", "request", "namespaceObject", "variables", "exceptions"},
    "guard": {"object", "oldObject", "request", "namespaceObject", "variables", "params", "repo"},
    "spec": set(),
}


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_roots_when_read_then_are_those_of_the_profile(name: str) -> None:
    assert ROOTS[name] == {root for root in profile(name).roots if "." not in root}


@pytest.mark.parametrize(("name", "version"), [("nobody", "1.36"), ("vap", "36"), ("vap", "2.0"), ("vap", "1.x")])
def test_profile_when_it_does_not_exist_then_is_an_error(name: str, version: str) -> None:
    with pytest.raises(CelError):
        profile(name, version)


def test_or_value_on_a_plain_value_when_the_cluster_is_new_then_is_an_error(evaluate: Evaluate) -> None:
    assert evaluate("object.orValue(3)", name="vap", version="1.36", object=5) == 5
    with pytest.raises(CelError, match="no such overload"):
        evaluate("object.orValue(3)", name="vap", version="1.37", object=5)


AUTHORIZER = [
    "authorizer.group('').resource('pods').check('get').allowed()",
    "authorizer.path('/healthz').check('get').reason() == ''",
    "authorizer.group('apps').resource('deployments').subresource('scale').namespace('a').name('b').check('get').errored()",
    "authorizer.serviceAccount('ns', 'sa').group('').resource('pods').check('get').allowed()",
    "authorizer.group('').resource('pods').labelSelector('a=b').fieldSelector('c=d').check('list').allowed()",
    "authorizer.requestResource.check('create').allowed()",
    "authorizer.requestResource.check('create').allowed() || false",
]


@pytest.mark.parametrize("source", AUTHORIZER)
def test_authorizer_when_asked_then_the_answer_is_unknown(source: str) -> None:
    activation = {"authorizer": Authorizer(), "authorizer.requestResource": ResourceCheck()}
    with pytest.raises(CelUnknown):
        compile_expression(source, environment=profile("vap")).evaluate(activation)


MISUSED = [
    ("authorizer.path('')", "path must not be empty"),
    ("authorizer.group('').resource('')", "resource must not be empty"),
    ("authorizer.serviceAccount('NS', 'sa')", "Invalid service account namespace"),
    ("authorizer.serviceAccount('ns', 'S A')", "Invalid service account name"),
]


@pytest.mark.parametrize(("source", "message"), [pytest.param(*row, id=row[0]) for row in MISUSED])
def test_authorizer_when_asked_nonsense_then_is_an_error(source: str, message: str) -> None:
    with pytest.raises(CelError) as caught:
        compile_expression(source, environment=profile("vap")).evaluate({"authorizer": Authorizer()})
    assert (CelError, message) == (type(caught.value), caught.value.message)


def test_patch_when_a_mutation_builds_it_then_is_a_message(evaluate: Evaluate) -> None:
    source = "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b~c'), ?value: object.?v}]"
    assert [Message("JSONPatch", {"op": "add", "path": "/metadata/labels/a~1b~0c"})] == evaluate(
        source, name="map", object={}
    )


def test_object_when_a_mutation_builds_it_then_nests(evaluate: Evaluate) -> None:
    made = evaluate("Object{spec: Object.spec{replicas: 3}}", name="map")
    assert Message("Object", {"spec": Message("Object.spec", {"replicas": 3})}) == made
    assert evaluate("has(Object{spec: Object.spec{}}.spec.replicas)", name="map") is False
    with pytest.raises(CelCompileError, match="undeclared reference to 'Object'"):
        evaluate("Object{}", name="vap")


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        pytest.param("'a'", True, id="string"),
        pytest.param("1 + 1", True, id="int"),
        pytest.param("[true]", True, id="list"),
        pytest.param("size(object)", True, id="size"),
        pytest.param("object.ok", False, id="field"),
        pytest.param("object.a == 1", False, id="comparison"),
        pytest.param("object.a ? true : false", False, id="conditional"),
    ],
)
def test_validation_when_it_cannot_be_bool_then_is_refused(source: str, refused: bool) -> None:
    if refused:
        with pytest.raises(CelCompileError, match="must evaluate to bool"):
            compile_expression(source, result="bool")
    else:
        assert compile_expression(source, result="bool").source == source


FIELDS = [
    ("plain", "plain"),
    ("a-b", "a__dash__b"),
    ("a.b/c", "a__dot__b__slash__c"),
    ("a__b", "a__underscores__b"),
    ("namespace", "__namespace__"),
    ("_x", "_x"),
    ("true", "__true__"),
]


@pytest.mark.parametrize(("name", "written"), [pytest.param(*row, id=row[0]) for row in FIELDS])
def test_field_when_a_crd_rule_names_it_then_is_escaped(evaluate: Evaluate, name: str, written: str) -> None:
    assert (written, name) == (escape_field(name), unescape_field(written))
    assert evaluate(
        f"self.{written} == 1 && has(self.{written}) && self.?{written}.hasValue()", name="crd", self={name: 1}
    )


@pytest.mark.parametrize("name", ["1a", "a b", "é", "", "a$"])
def test_field_when_no_escape_covers_it_then_cannot_be_reached(name: str) -> None:
    assert escape_field(name) is None


def test_profile_when_extended_then_knows_further_functions() -> None:
    library = Library("mine")

    @library.method("shout", str)
    def _shout(text: str) -> str:
        return f"{text}!"

    environment = extended(profile("guard"), library)
    assert compile_expression("'hey'.shout()", environment=environment).evaluate({}) == "hey!"
    with pytest.raises(CelCompileError, match="undeclared reference to 'shout'"):
        compile_expression("'hey'.shout()", environment=profile("guard"))
