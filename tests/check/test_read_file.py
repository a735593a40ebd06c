"""The clean path's reader of the work tree: it must never leave it, whatever lies there."""

import os
from pathlib import Path

import pytest

from gitops_guard.check.clean import read_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a work tree beside a folder that does not belong to it."""
    inside, beside = tmp_path / "tree", tmp_path / "beside"
    (inside / "a" / "b").mkdir(parents=True)
    beside.mkdir()
    for folder in (inside, inside / "a", inside / "a" / "b", beside):
        (folder / "file.yaml").write_text("x: 1\n")
    (inside / "link").symlink_to(beside)
    (inside / "loop").symlink_to(inside / "a")
    (inside / "a" / "link.yaml").symlink_to(inside / "file.yaml")
    return inside


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(b"file.yaml", b"x: 1\n", id="at the top"),
        pytest.param(b"a/b/file.yaml", b"x: 1\n", id="below"),
        pytest.param(b"a/file.yaml", b"x: 1\n", id="between"),
        pytest.param(b"link/file.yaml", None, id="behind a link out of the tree"),
        pytest.param(b"loop/b/file.yaml", None, id="below a link into the tree"),
        pytest.param(b"a/link.yaml", None, id="a link itself"),
        pytest.param(b"../beside/file.yaml", None, id="above"),
        pytest.param(b"a/../file.yaml", None, id="back and forth"),
        pytest.param(b"a//b/file.yaml", b"x: 1\n", id="an empty part"),
        pytest.param(b"gone/file.yaml", None, id="no such folder"),
        pytest.param(b"file.yaml/file.yaml", None, id="a file for a folder"),
    ],
)
def test_read_file_when_a_path_is_of_some_form_reads_what_lies_in_the_tree(
    root: Path, path: bytes, expected: bytes | None
) -> None:
    read = read_file(os.fsencode(os.path.realpath(root)))
    assert [expected, expected] == [read(path, None), read(path, None)]
