"""What the clean store believes, and what it does not."""

import os
import time

import pytest

from gitops_guard.check.clean_store import CleanStore, record, skipped_name

KEY = bytes(range(32))
DIGEST = b"d" * 20
ONE = record(b"a" * 20, 3, 0)
TWO = record(b"b" * 20, 0, 2)


@pytest.fixture
def store_path(tmp_path):
    CleanStore(str(tmp_path), DIGEST, KEY).add(ONE, b"1.37")
    CleanStore(str(tmp_path), DIGEST, KEY).add(TWO, b"1.37")
    return tmp_path / "clean" / DIGEST.hex()


def open_store(path, *, key=KEY, digest=DIGEST):
    return CleanStore(str(path.parent.parent), digest, key)


def test_store_when_read_again_then_it_knows_what_was_added(store_path):
    store = open_store(store_path)
    assert (3, 0) == store.find(b"a" * 20)
    assert (0, 2) == store.find(b"b" * 20)
    assert store.find(b"c" * 20) is None
    assert b"1.37" == store.settings
    assert {b"a" * 20: ONE[20:], b"b" * 20: TWO[20:]} == store.all()


def test_store_when_a_name_spans_two_records_then_it_is_not_found(tmp_path):
    names = [bytes([number]) * 20 for number in (7, 8)]
    CleanStore(str(tmp_path), DIGEST, KEY).add(b"".join(record(name, 7, 7) for name in names), b"1.37")
    spanning = (record(names[0], 7, 7) + record(names[1], 7, 7))[12:32]
    assert CleanStore(str(tmp_path), DIGEST, KEY).find(spanning) is None


def test_store_when_sealed_with_another_key_then_nothing_is_believed(store_path):
    store = open_store(store_path, key=bytes(32))
    assert store.settings is None
    assert {} == store.all()


def test_store_when_renamed_to_other_circumstances_then_nothing_is_believed(store_path):
    store_path.rename(store_path.with_name((b"e" * 20).hex()))
    assert {} == open_store(store_path, digest=b"e" * 20).all()


def test_store_when_any_byte_is_changed_then_no_changed_record_is_believed(store_path):
    whole = store_path.read_bytes()
    good = open_store(store_path).all()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        store_path.write_bytes(damaged)
        believed = open_store(store_path).all()
        assert believed.items() <= good.items()


def test_store_when_cut_anywhere_then_a_prefix_is_believed_and_adding_works_again(store_path):
    whole = store_path.read_bytes()
    for length in range(len(whole)):
        store_path.write_bytes(whole[:length])
        open_store(store_path).add(record(b"c" * 20, 1, 0), b"1.37")
        assert (1, 0) == open_store(store_path).find(b"c" * 20)


def test_store_when_the_folder_cannot_be_written_then_adding_is_silent(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    CleanStore(str(blocked), DIGEST, KEY).add(ONE, b"1.37")
    assert blocked.read_text() == ""


def test_store_when_many_blocks_were_added_then_it_is_compacted(tmp_path):
    for number in range(600):
        CleanStore(str(tmp_path), DIGEST, KEY).add(record(number.to_bytes(20, "big"), 1, 0), b"1.37")
    assert 600 == len(CleanStore(str(tmp_path), DIGEST, KEY).all())
    assert (tmp_path / "clean" / DIGEST.hex()).stat().st_size < 600 * 24 + 100 * 20 + 200


def test_store_when_made_anew_then_those_of_last_month_are_deleted(store_path):
    old = store_path.with_name("0" * 40)
    old.write_text("old")
    os.utime(old, (time.time() - 40 * 86_400,) * 2)
    open_store(store_path, digest=b"f" * 20).add(ONE, b"1.37")
    assert not old.exists()
    assert store_path.exists()


def test_skipped_name_when_the_path_differs_then_so_does_the_name():
    assert skipped_name(b"a.yaml", b"x" * 20) != skipped_name(b"b.yaml", b"x" * 20)
