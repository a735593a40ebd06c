import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_guard.repo.index import (
    INTENT_TO_ADD,
    SKIP_WORKTREE,
    STAGE_MASK,
    blob_id,
    manifest_entries,
    parse_index,
    staged_blob_ids,
)


def _index(sandbox: Any) -> bytes:
    return (sandbox.root / ".git" / "index").read_bytes()


def _by_git(sandbox: Any) -> list[tuple[bytes, str, int, int]]:
    """Return (path, id, mode, stage) as `git ls-files` has them."""
    rows = []
    for line in sandbox.git("ls-files", "--stage", "-z").split(b"\0")[:-1]:
        info, _, path = line.partition(b"\t")
        mode, blob, stage = info.split()
        rows.append((path, blob.decode(), int(mode, 8), int(stage)))
    return rows


def _by_us(data: bytes) -> list[tuple[bytes, str, int, int]]:
    parsed = parse_index(data)
    assert parsed is not None
    return [(path, blob.hex(), mode, (flags & STAGE_MASK) >> 12) for path, blob, mode, flags, _ in parsed]


def _chosen(data: bytes, known: set[bytes]) -> list[tuple[bytes, bytes]] | None:
    """Return what `manifest_entries` should, by the reader of everything."""
    parsed = parse_index(data)
    if parsed is None:
        return None
    return [(path, blob) for path, blob, *_ in parsed if path.endswith((b"a", b".yaml")) and blob not in known]


def _stage_names(sandbox: Any, names: list[bytes]) -> None:
    """Fill the index without touching files; each name gets an id of its own."""
    lines = [b"100644 " + blob_id(name).hex().encode() + b"\t" + name for name in names]
    sandbox.git("update-index", "-z", "--add", "--index-info", stdin=b"\0".join(lines) + b"\0" if lines else b"")


def _merge_conflict(sandbox: Any) -> None:
    sandbox.commit({"same.yaml": b"0", "both.yaml": b"base"})
    sandbox.git("checkout", "--quiet", "-b", "other")
    sandbox.commit({"both.yaml": b"theirs"})
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"both.yaml": b"ours"})
    sandbox.git("merge", "other", check=False)


_PART = st.text(st.characters(codec="latin-1", exclude_characters="\0/"), min_size=1, max_size=12).map(
    lambda text: text.encode("latin-1")
)
_NAMES = st.sets(
    st.builds(lambda a, b: a + b"/" + b, _PART, _PART) | _PART | st.just(b"x" * 5000), min_size=1, max_size=12
)


def _possible(names: set[bytes]) -> list[bytes]:
    """Leave out what Git refuses: `.`, `..`, `.git`, and a file that is also a directory."""
    parts = {name: name.split(b"/") for name in names}
    good = [
        n
        for n, ps in parts.items()
        if not any(p in (b".", b"..") or p.lower().startswith((b".git", b"git~")) for p in ps)
    ]
    folders = {n.split(b"/")[0] for n in good if b"/" in n}
    return sorted(n for n in good if n not in folders)


@pytest.fixture(scope="module")
def shared(init_at: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return init_at(tmp_path_factory.mktemp("index") / "repo")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(names=_NAMES, version=st.sampled_from(["2", "3"]), split=st.booleans(), data=st.data())
def test_index_when_any_names_reads_as_git_reads_it(
    shared: Any, names: set[bytes], version: str, split: bool, data: Any
) -> None:
    possible = _possible(names)
    (shared.root / ".git" / "index").unlink(missing_ok=True)
    _stage_names(shared, possible)
    shared.git("update-index", "--index-version", version)
    if version == "3" and possible:
        shared.git(
            "update-index", "-z", "--skip-worktree", "--stdin", stdin=possible[0] + b"\0"
        )  # writes extended flags
    index = _index(shared)
    wanted = _by_git(shared)
    assert wanted == _by_us(index)
    some = data.draw(st.lists(st.sampled_from(possible))) if possible else []
    expected = {path: (bytes.fromhex(blob), mode) for path, blob, mode, _ in wanted if path in some}
    assert expected == staged_blob_ids(index, some)
    known = {blob for blob, _ in expected.values()}
    assert _chosen(index, known) == manifest_entries(index, known, (b"a", b".yaml"))


def test_staged_blob_ids_when_many_paths_equals_one_by_one(sandbox: Any) -> None:
    names = [b"d%d/f%d.yaml" % (number % 7, number) for number in range(100)]
    _stage_names(sandbox, names)
    index = _index(sandbox)
    one_by_one: dict[bytes, Any] = {}
    for name in names:
        one_by_one.update(staged_blob_ids(index, [name]) or {})
    assert one_by_one == staged_blob_ids(index, names)
    assert len(one_by_one) == 100


@pytest.mark.parametrize("count", [1, 50], ids=["searched", "parsed"])
def test_staged_blob_ids_when_one_path_is_absent_is_not_sure(sandbox: Any, count: int) -> None:
    names = [b"f%d" % number for number in range(count)]
    _stage_names(sandbox, names)
    assert staged_blob_ids(_index(sandbox), names) is not None
    assert staged_blob_ids(_index(sandbox), [*names, b"absent"]) is None


def test_staged_blob_ids_when_a_name_ends_another_finds_the_right_one(sandbox: Any) -> None:
    names = [b"a", b"ba", b"x/a", b"x" * 8 + b"/a", b"x" * 15 + b"/a"]
    _stage_names(sandbox, names)
    expected = {name: (blob_id(name), 0o100644) for name in names}
    assert expected == staged_blob_ids(_index(sandbox), names)


@pytest.mark.parametrize("count", [1, 50], ids=["searched", "parsed"])
def test_staged_blob_ids_when_unmerged_is_not_sure(sandbox: Any, count: int) -> None:
    _merge_conflict(sandbox)
    index = _index(sandbox)
    assert staged_blob_ids(index, [b"same.yaml"] * count) == {b"same.yaml": (blob_id(b"0"), 0o100644)}
    assert staged_blob_ids(index, [b"both.yaml"] * count) is None


@pytest.mark.parametrize("count", [1, 50], ids=["searched", "parsed"])
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_staged_blob_ids_when_unmerged_with_one_stage_is_not_sure(sandbox: Any, stage: int, count: int) -> None:
    line = f"100644 {blob_id(b'x').hex()} {stage}\tfile\n"
    sandbox.git("update-index", "--index-info", stdin=line.encode())
    assert staged_blob_ids(_index(sandbox), [b"file"] * count) is None


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda index: index[:12] + b"\0" + index[12:], id="not where an entry can begin"),
        pytest.param(
            lambda index: index.replace(b"file\0", b"file\0x"[:6], 1)[: len(index)], id="something in the padding"
        ),
        pytest.param(lambda index: index.replace(b"\0\4file", b"\0\5file"), id="another length"),
        pytest.param(lambda index: index.replace(b"\0\0\x81\xa4", b"\0\0\x81\xa5"), id="another mode"),
    ],
)
def test_staged_blob_ids_when_the_place_is_not_quite_an_entry_is_not_sure(
    sandbox: Any, forge: Callable[[bytes], bytes]
) -> None:
    _stage_names(sandbox, [b"file"])
    index = _index(sandbox)
    assert staged_blob_ids(index, [b"file"]) is not None
    assert forge(index) != index
    assert staged_blob_ids(forge(index), [b"file"]) is None


@pytest.mark.parametrize("count", [1, 50], ids=["searched", "parsed"])
def test_staged_blob_ids_when_intended_to_add_is_not_sure(sandbox: Any, count: int) -> None:
    sandbox.commit({"old.yaml": b"0"})
    sandbox.write({"new.yaml": b"1"})
    sandbox.git("add", "--intent-to-add", "new.yaml")
    assert staged_blob_ids(_index(sandbox), [b"new.yaml"] * count) is None
    assert staged_blob_ids(_index(sandbox), [b"old.yaml"] * count) is not None


def test_parse_index_when_unmerged_has_the_stages(sandbox: Any) -> None:
    _merge_conflict(sandbox)
    assert _by_git(sandbox) == _by_us(_index(sandbox))
    assert [stage for *_, stage in _by_us(_index(sandbox))] == [1, 2, 3, 0]


def test_parse_index_when_flags_are_extended_shows_them(sandbox: Any) -> None:
    sandbox.commit({"a": b"", "b": b"", "c": b""})
    sandbox.git("update-index", "--skip-worktree", "b")
    sandbox.write({"new": b"1"})
    sandbox.git("add", "--intent-to-add", "new")
    parsed = parse_index(_index(sandbox))
    assert parsed is not None
    assert {path: flags & (SKIP_WORKTREE | INTENT_TO_ADD) for path, _, _, flags, _ in parsed} == {
        b"a": 0,
        b"b": SKIP_WORKTREE,
        b"c": 0,
        b"new": INTENT_TO_ADD,
    }


def _sparse(sandbox: Any) -> None:
    sandbox.commit({"in/a": b"1", "out/b": b"2", "top": b"3"})
    sandbox.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")


def _split(sandbox: Any) -> None:
    sandbox.commit({"a": b"1", "b": b"2", "c": b"3"})
    sandbox.git("update-index", "--split-index")
    sandbox.write({"a": b"changed", "d": b"4"})
    sandbox.git("rm", "--quiet", "--cached", "b")
    sandbox.git("add", "a", "d")


def _version_4(sandbox: Any) -> None:
    sandbox.commit({"a": b"1", "b": b"2", "in/a": b"3"})
    sandbox.git("update-index", "--index-version", "4")


@pytest.mark.parametrize(
    "make",
    [pytest.param(_sparse, id="sparse"), pytest.param(_split, id="split"), pytest.param(_version_4, id="version 4")],
)
def test_index_when_of_an_unusual_form_is_never_read_wrongly(sandbox: Any, make: Callable[[Any], None]) -> None:
    make(sandbox)
    index = _index(sandbox)
    assert parse_index(index) is None
    assert manifest_entries(index, set(), (b"",)) is None
    truth = {path: (bytes.fromhex(blob), mode) for path, blob, mode, _ in _by_git(sandbox)}
    for name in [b"a", b"b", b"c", b"d", b"in/a", b"out/b", b"top", b"out"]:
        found = staged_blob_ids(index, [name])
        assert found is None or found == {name: truth.get(name)}


def test_index_when_sha256_is_not_sure(init: Callable[..., Any]) -> None:
    sandbox = init("repo", "--object-format=sha256")
    sandbox.commit({f"d/{number}.yaml": b"%d" % number for number in range(40)})
    index = _index(sandbox)
    assert parse_index(index) is None
    assert all(staged_blob_ids(index, [b"d/%d.yaml" % number]) is None for number in range(40))


def test_index_when_fsmonitor_and_cache_extensions_are_there_still_reads(sandbox: Any) -> None:
    sandbox.commit({"a/link": b"1", "sdir": b"2", "link": b"3"})
    sandbox.git("update-index", "--untracked-cache")
    sandbox.git("status")
    assert _by_git(sandbox) == _by_us(_index(sandbox))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cut=st.integers(0, 400), at=st.integers(0, 400), value=st.integers(0, 255))
def test_index_when_damaged_never_raises(shared: Any, cut: int, at: int, value: int) -> None:
    (shared.root / ".git" / "index").unlink(missing_ok=True)
    _stage_names(shared, [b"a", b"b/c", b"d" * 40])
    index = bytearray(_index(shared))
    index[at % len(index)] = value
    damaged = bytes(index[: len(index) - cut])
    assert _chosen(damaged, set()) == manifest_entries(damaged, set(), (b"a", b".yaml"))
    staged_blob_ids(damaged, [b"a", b"b/c"])


@pytest.mark.parametrize("data", [b"", b"DIRC", b"\0" * 100, b"DIRC\0\0\0\2\xff\xff\xff\xff" + b"\0" * 200])
def test_index_when_not_an_index_is_not_sure(data: bytes) -> None:
    assert parse_index(data) is None
    assert manifest_entries(data, set(), (b"",)) is None
    assert staged_blob_ids(data, [b"a"]) is None


def test_blob_id_when_any_bytes_is_gits(sandbox: Any) -> None:
    for data in (b"", b"kind: A\n", b"\0\xff" * 1000):
        assert sandbox.git("hash-object", "--stdin", stdin=data).decode().strip() == blob_id(data).hex()


def test_clean_path_when_imported_brings_nothing_slow() -> None:
    script = (
        "import gitops_guard, sys; before = set(sys.modules)\n"
        "import gitops_guard.repo.index, gitops_guard.repo.location, gitops_guard.repo.snapshot\n"
        "print(sorted(name for name in set(sys.modules) - before if not name.startswith('gitops_guard')))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.stdout.decode().strip() in ("['_sha1']", "['_sha1', 'struct']", "['_sha1', '_struct', 'struct']")
