"""What Git gave and gives no more, and objects without it."""

from typing import Any

import pytest

from gitops_guard.diff.lists import known_list_keys
from gitops_guard.live.removed import has, removed_paths, without
from gitops_guard.model import ResourceId

OWNER = ResourceId(group="apps", version="v1", kind="Deployment", namespace="shop", name="web")
WEB, SIDE = {"name": "web", "image": "web:1"}, {"name": "side", "image": "side:1"}
NAMED_SIDE = (("name", "side"),)
NAMED_WEB = (("name", "web"),)


def pod(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


CONTAINERS = ("spec", "template", "spec", "containers")


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        pytest.param({"a": 1}, {"a": 2}, [], id="changed"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, [("b",)], id="at the root"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, [("a", "c")], id="below"),
        pytest.param({"a": None}, {}, [], id="null was never there"),
        pytest.param({"a": {"b": 1}}, {"a": None}, [], id="null instead"),
        pytest.param({"a": [1, 2]}, {"a": [1]}, [], id="a list without keys is one value"),
        pytest.param(pod(WEB, SIDE), pod(WEB), [(*CONTAINERS, NAMED_SIDE)], id="an item"),
        pytest.param(pod(WEB, SIDE), pod(SIDE, WEB), [], id="order"),
        pytest.param(pod({**WEB, "tty": True}), pod(SIDE, WEB), [(*CONTAINERS, NAMED_WEB, "tty")], id="inside an item"),
        pytest.param(pod({"image": "x"}), pod(WEB), [], id="an item without its key"),
    ],
)  # fmt: skip
def test_removed_when_both_sides_are_compared_then_the_paths(base: Any, head: Any, expected: list[Any]) -> None:
    assert expected == list(removed_paths(OWNER, base, head, known_list_keys))


@pytest.mark.parametrize(
    ("body", "steps", "expected"),
    [
        pytest.param({"a": {"b": 1, "c": 2}}, ("a", "c"), {"a": {"b": 1}}, id="field"),
        pytest.param(pod(WEB, SIDE), (*CONTAINERS, NAMED_SIDE), pod(WEB), id="item"),
        pytest.param(pod(WEB), (*CONTAINERS, NAMED_WEB, "image"), pod({"name": "web"}), id="inside an item"),
        pytest.param({"a": 1}, ("b",), {"a": 1}, id="absent field"),
        pytest.param(pod(WEB), (*CONTAINERS, NAMED_SIDE, "image"), pod(WEB), id="absent item"),
        pytest.param({"a": "text"}, ("a", "b"), {"a": "text"}, id="another type"),
    ],
)
def test_without_when_taken_out_then_only_that_is_gone(body: Any, steps: Any, expected: Any) -> None:
    before = repr(body)
    assert expected == without(body, steps)
    assert has(body, steps) is (expected != body)
    assert not has(without(body, steps), steps)
    assert before == repr(body)
