"""The cache of slices: right when hit, harmless when broken."""

import hashlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from gitops_guard.schema.plain import PlainSchemas
from gitops_guard.schema.slices import Slices

DEPLOYMENT = "io.k8s.api.apps.v1.Deployment"
SERVICE = "io.k8s.api.core.v1.Service"
KEY = bytes(range(32))


def _cached(folder: Path, definition: str = DEPLOYMENT) -> Path:
    (found,) = folder.rglob(f"{definition}.json")
    return found


def test_load_a_second_time_reads_what_was_written(tmp_path: Path) -> None:
    first = Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)
    written = _cached(tmp_path).stat().st_mtime_ns
    assert first == Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)
    assert written == _cached(tmp_path).stat().st_mtime_ns


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[:-1], id="last byte missing"),
        pytest.param(lambda data: data[: len(data) // 2], id="half"),
        pytest.param(lambda data: data.replace(b'"required"', b'"requirex"'), id="weaker schema"),
        pytest.param(lambda data: b'{"$ref":"#/definitions/x","definitions":{}}', id="no digest"),
        pytest.param(lambda data: data.partition(b"\n")[0] + b"\n{}", id="other content"),
        pytest.param(lambda data: os.urandom(100), id="noise"),
    ],
)
def test_load_of_a_spoilt_file_builds_it_again(tmp_path: Path, spoil: Any) -> None:
    expected = Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)
    path = _cached(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    assert expected == Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)


def test_load_of_a_file_sealed_by_another_user_builds_it_again(tmp_path: Path) -> None:
    Slices("1.37", (str(tmp_path), bytes(32))).load(DEPLOYMENT)
    foreign = _cached(tmp_path).read_bytes()
    assert Slices("1.37", None).load(DEPLOYMENT) == Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)
    assert foreign != _cached(tmp_path).read_bytes()


def test_load_of_a_file_with_a_plain_digest_builds_it_again(tmp_path: Path) -> None:
    expected = Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)
    weaker = b'{"definitions":{}}'
    for digest in (hashlib.sha1(weaker), hashlib.blake2b(weaker, digest_size=20)):
        _cached(tmp_path).write_bytes(digest.hexdigest().encode() + b"\n" + weaker)
        assert expected == Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)


@pytest.mark.parametrize("other", [SERVICE, "version"])
def test_load_of_a_swapped_file_builds_it_again(tmp_path: Path, other: str) -> None:
    expected = Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)
    target = _cached(tmp_path)
    if other == SERVICE:
        Slices("1.37", (str(tmp_path), KEY)).load(SERVICE)
        target.write_bytes(_cached(tmp_path, SERVICE).read_bytes())
    else:
        Slices("1.25", (str(tmp_path / "old"), KEY)).load(DEPLOYMENT)
        target.write_bytes(_cached(tmp_path / "old").read_bytes())
    assert expected == Slices("1.37", (str(tmp_path), KEY)).load(DEPLOYMENT)


def test_is_clean_when_the_cached_slice_was_emptied_then_an_invalid_document_does_not_pass(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    assert PlainSchemas("1.37", (str(tmp_path), KEY)).is_clean(deployment)
    _cached(tmp_path).write_bytes(b"0" * 40 + b'\n{"$ref":"#/definitions/x","definitions":{}}')
    del deployment["spec"]["selector"]
    assert not PlainSchemas("1.37", (str(tmp_path), KEY)).is_clean(deployment)


def test_load_when_the_cache_cannot_be_written_then_builds_in_memory(
    tmp_path: Path, deployment: dict[str, Any]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")  # root may write anywhere, so permissions would not stop it
    schemas = PlainSchemas("1.37", (str(blocked / "cache"), KEY))
    assert schemas.is_clean(deployment)
    assert "not a directory" == blocked.read_text()


def test_load_when_the_folder_becomes_unwritable_then_leaves_no_temporary_file(tmp_path: Path) -> None:
    slices = Slices("1.37", (str(tmp_path), KEY))
    slices.load(SERVICE)
    _cached(tmp_path, SERVICE).parent.joinpath(f"{DEPLOYMENT}.json").mkdir()  # replacing a directory fails
    assert "definitions" in slices.load(DEPLOYMENT)
    assert [] == [path for path in tmp_path.rglob("*") if path.name.endswith(f".{os.getpid()}")]


def test_load_without_cache_directory_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "definitions" in Slices("1.37", None).load(DEPLOYMENT)
    assert [] == list(tmp_path.iterdir())


def test_load_by_concurrent_writers_leaves_whole_files(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        from gitops_guard.schema.slices import Slices
        for _ in range(3):
            for definition in ("{DEPLOYMENT}", "{SERVICE}"):
                Slices("1.37", ({str(tmp_path)!r}, {KEY!r})).load(definition)
    """)
    writers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [0, 0, 0, 0] == [writer.wait() for writer in writers]
    for definition in (DEPLOYMENT, SERVICE):
        assert Slices("1.37", None).load(definition) == Slices("1.37", (str(tmp_path), KEY)).load(definition)
        assert 2 == _cached(tmp_path, definition).read_bytes().count(b"\n") + 1
