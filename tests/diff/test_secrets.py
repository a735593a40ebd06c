"""What a Secret holds is nowhere in a comparison; that it changes is always there."""

import base64
import json
from dataclasses import fields, is_dataclass

import pytest

from gitops_guard.diff import compare
from gitops_guard.model import MASK, Action, Resource

VALUE, OTHER = "correct-horse-battery", "staple-of-the-battery"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(value: str, form: str = "data") -> str:
    written = encoded(value) if form == "data" else value
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{form}: {{password: {json.dumps(written)}, user: {json.dumps(encoded('ada-lovelace'))}}}\n"


def everything(value: object) -> str:
    """Return all that a comparison shows, as one text; the true resources are not for showing."""
    if isinstance(value, Resource):
        return ""
    if is_dataclass(value):
        return " ".join(everything(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, dict):
        return " ".join(f"{key} {everything(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(everything(item) for item in value)
    return str(value)


def spellings(value: str) -> list[str]:
    return [value, encoded(value), encoded(value).rstrip("=")]


@pytest.mark.parametrize("form", ["data", "stringData"])
def test_compare_when_a_key_changes_then_it_is_named_and_masked(compared, form):
    (change,) = compared(secret(VALUE, form), secret(OTHER, form))
    (field,) = change.fields
    assert (f"{form}[password]", MASK, MASK, True) == (field.field, field.old, field.new, field.masked)


def test_compare_when_keys_come_and_go_then_each_is_named(compared):
    after = secret(VALUE).replace("password", "passphrase")
    (change,) = compared(secret(VALUE), after)
    assert [("data[passphrase]", "added"), ("data[password]", "removed")] == [(f.field, f.op) for f in change.fields]


def test_compare_when_values_have_any_length_then_the_output_is_the_same(compared):
    short, long = compared(secret("a"), secret("b")), compared(secret("a" * 500), secret("b" * 9))
    assert everything(short[0].fields) == everything(long[0].fields)


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("kind: ConfigMap\nmetadata: {name: c}\ndata: {url: 'postgres://ada:%s@db/x'}", id="part-of-a-text"),
        pytest.param("kind: ConfigMap\nmetadata: {name: c}\ndata: {a: '%s'}", id="whole-text"),
        pytest.param("kind: ConfigMap\nmetadata: {name: c}\ndata: {a.json: '{\"x\": [\"%s\"]}'}", id="embedded"),
        pytest.param("kind: ConfigMap\nmetadata: {name: c, annotations: {note: 'is %s'}}", id="annotation"),
        pytest.param(
            "kind: ConfigMap\nmetadata: {name: c, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{%s}'}}",
            id="last-applied",
        ),
        pytest.param("kind: Pod\nmetadata: {name: c}\nspec: {containers: [{name: a, args: ['--x=%s']}]}", id="argument"),
        pytest.param("kind: Pod\nmetadata: {name: c}\nspec: {containers: [{name: a, env: [{name: X, value: '%s'}]}]}", id="env"),
        pytest.param("kind: Pod\nmetadata: {name: c}\nspec: {containers: [{name: '%s', image: a}]}", id="key-of-a-list"),
        pytest.param("kind: Widget\nmetadata: {name: c}\nstatus: {token: '%s'}", id="status"),
        pytest.param("kind: ConfigMap\nmetadata: {name: c}\ndata: {notes: \"one\\ntwo %s\\n\"}", id="line-of-a-text"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("spell", [0, 1, 2], ids=["plain", "base64", "unpadded"])
def test_compare_when_another_object_repeats_a_value_then_it_is_masked_there(compared, where, spell):
    for value, other in ((VALUE, OTHER), (OTHER, VALUE)):
        bodies = [f"{secret(one)}---\napiVersion: v1\n{where % spellings(one)[spell]}\n" for one in (value, other)]
        for before, after in ((bodies[0], bodies[1]), (bodies[0], "{}"), ("{}", bodies[0])):
            changes = compared(before, after)
            shown = everything(changes)
            assert not [text for one in (VALUE, OTHER) for text in spellings(one) if text in shown]
            assert len(changes) == 2


def test_compare_when_a_repeated_value_changes_then_the_change_is_shown_though_both_sides_look_the_same(compared):
    text = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{a: 'x {0} y'}}\n"
    changes = compared(secret(VALUE) + text.format(VALUE), secret(OTHER) + text.format(OTHER))
    field = changes[0].fields[0]
    assert ("data[a]", f"x {MASK} y", f"x {MASK} y", True) == (field.field, field.old, field.new, field.masked)


@pytest.mark.parametrize(
    ("entry", "masked"),
    [
        pytest.param("{name: DB_PASSWORD, value: 'let-me-in'}", True, id="password"),
        pytest.param("{name: API_KEY, value: 'let-me-in'}", True, id="api-key"),
        pytest.param("{name: SECRET_NAME, value: 'let-me-in'}", False, id="a-name-is-no-secret"),
        pytest.param("{name: LOG_LEVEL, value: 'let-me-in'}", False, id="plain"),
    ],
)
def test_compare_when_a_variable_is_named_as_a_secret_then_its_value_is_masked(compared, entry, masked):
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: a, env: [{0}]}}]}}\n"
    changes = compared(pod.format(entry), pod.format(entry.replace("-in", "-out")))
    assert 1 == len(changes[0].fields)
    assert masked == ("let-me" not in everything(changes))
    assert masked == ("let-me" not in everything(compared("{}", pod.format(entry))))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("data: correct-horse-battery", id="data-is-text"),
        pytest.param("data: [correct-horse-battery]", id="data-is-a-list"),
        pytest.param("data: {a: {b: correct-horse-battery}}", id="value-is-a-map"),
        pytest.param("data: {a: 'correct-horse-battery!'}", id="no-base64"),
        pytest.param("stringData: {a: correct-horse-battery, b: 12345678}", id="number"),
        pytest.param("data: {a: /w==}\nstringData: {a: correct-horse-battery}", id="both-forms"),
        pytest.param("sops: {mac: correct-horse-battery, lastmodified: x}", id="sops"),
    ],
)
@pytest.mark.parametrize("kind", ["Secret", "secret", "SECRET"])
def test_compare_when_a_secret_is_malformed_then_it_is_masked_all_the_same(compared, body, kind):
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: s}}\n{body}\n"
    changed = text.replace("horse", "mule").replace("5678", "9999")
    for before, after in ((text, changed), (text, "{}"), ("{}", text)):
        shown = everything(compared(before, after))
        assert not [word for word in ("horse", "mule", "5678", "9999") if word in shown]
        assert compared(before, after)[0].action is not Action.UNCHANGED


def test_compare_when_a_secret_is_in_a_file_that_is_not_compared_then_its_value_is_masked(resources):
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{a: {VALUE}}}\n"
    changes = compare([], resources(text), secrets=resources(secret(VALUE)))
    assert VALUE not in everything(changes)


def test_change_when_printed_for_debugging_then_the_true_objects_are_left_out(compared):
    assert VALUE not in repr(compared(secret(VALUE), secret(OTHER)))


def test_compare_when_values_are_short_words_then_other_objects_stay_readable(compared):
    text = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 'yes'}\n"
    changes = compared("{}", secret("yes") + text)
    assert {"a": "yes"} == changes[0].shown_after["data"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param("username: orders, password: correct-horse", "from orders-api to orders-db", id="a user's name"),
        pytest.param("DB_USER: orders, DB_NAME: orders", "from orders-api to orders-db", id="a variable's name"),
        pytest.param("username: orders, password: orders", f"from {MASK}-api to {MASK}-db", id="the password, too"),
        pytest.param("api-key: orders", f"from {MASK}-api to {MASK}-db", id="a key"),
    ],
)
def test_compare_when_a_user_is_called_like_other_things_then_these_stay_readable(compared, entries, expected):
    held = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{{entries}}}\n---\n"
    config_map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {note: NOTE, user: orders}\n"
    before, after = (held + config_map.replace("NOTE", note) for note in ("none", "from orders-api to orders-db"))
    change = next(one for one in compared(before, after) if one.id.kind == "ConfigMap")
    assert [expected] == [field.new for field in change.fields]
    assert "user: orders" not in everything(change)


def test_compare_when_objects_are_wanted_in_full_then_they_are_masked(resources):
    (change,) = compare(resources(secret(VALUE)), resources(secret(OTHER)), in_full=True)
    assert ({"password": MASK, "user": MASK},) * 2 == (change.shown_before["data"], change.shown_after["data"])
