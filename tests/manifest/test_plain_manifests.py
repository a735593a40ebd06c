"""The fast way to a file's manifests says what the careful one says, or nothing."""

from pathlib import Path

import pytest

from gitops_guard.manifest.loader import load
from gitops_guard.manifest.plain_manifests import plain_manifests

ROOT = Path(__file__).parents[2]
FILES = [
    path
    for folder in ("examples", "policies", "deploy", "tests")
    for pattern in ("*.yaml", "*.yml")
    for path in sorted((ROOT / folder).rglob(pattern))
]


def test_plain_manifests_of_all_files_here_then_they_are_those_of_the_careful_way() -> None:
    taken = 0
    for path in FILES:
        data = path.read_bytes()
        found = plain_manifests(str(path), data)
        if found is None:
            continue
        taken += 1
        stream = load(data)
        told = [
            (document.line if line else 0, document.body)
            for document, (line, _) in zip(stream.documents, found, strict=True)
        ]
        assert told == [tuple(one) for one in found], path
        assert not [problem for problem in stream.problems if problem.unreadable], path

    assert taken > len(FILES) / 4


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("apiVersion: v1\nkind: A\n", [1], id="one"),
        pytest.param("# why\n\n---\n# what\napiVersion: v1\nkind: A\n", [5], id="comments before"),
        pytest.param("apiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: B\n", [1, 4], id="two"),
        pytest.param("---\napiVersion: v1\nkind: A\n---\n# only this\n", None, id="an empty one at the end"),
        pytest.param("apiVersion: v1\nkind: List\nitems: []\n", None, id="a list"),
        pytest.param("apiVersion: v1\n", None, id="no kind"),
        pytest.param("a: &b {c: 1}\nd: *b\n", None, id="an alias"),
        pytest.param("", None, id="empty"),
    ],
)
def test_plain_manifests_then_each_has_its_line(text: str, lines: list[int] | None) -> None:
    found = plain_manifests("a.yaml", text.encode())

    if lines is None:
        assert found is None or [one.line for one in found] == [
            document.line for document in load(text.encode()).documents
        ]
        return
    assert found is not None
    assert lines == [one.line for one in found]
