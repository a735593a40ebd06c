"""Bad input and bad surroundings: a clear message, the right exit code, no traceback, nothing half-written."""

import ctypes
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitops_guard import cli

ROOT = Path(__file__).parents[2]
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
BAD = GOOD + "dta: 1\n"
HEAD = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
LAUGHS = "x0: &x0 [lol, lol]\n" + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 12))
DEPTH = 12_000
MANY = 200


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(HEAD + b"  k: \xff\xfe\n", "UTF-8", id="invalid UTF-8"),
        pytest.param(HEAD + b"  k: a\0b\n", "control characters", id="NUL byte"),
        pytest.param(GOOD.encode() + LAUGHS.encode(), "alias", id="billion laughs"),
        pytest.param(HEAD + b"  k: " + b"[" * DEPTH + b"]" * DEPTH + b"\n", "nest", id="deep flow"),
        pytest.param(HEAD + b"  k:\n    " + b"- " * DEPTH + b"x\n", "nest", id="deep block"),
        pytest.param(b'{"apiVersion":"v1","kind":"Pod","spec":' + b'{"a":' * DEPTH + b"1" + b"}" * DEPTH + b"}", "nest", id="deep JSON"),
        pytest.param(HEAD + b"\tk: v\n", "cannot start any token", id="tab"),
    ],
)  # fmt: skip
def test_check_when_a_file_cannot_be_read_then_an_error_entry_names_it(repo, content, message):
    outcome = repo({"a.yaml": content, "b.yaml": BAD}).run("check")
    outcome.assert_code(2)
    (error,) = outcome.json()["errors"]
    assert "a.yaml" == error["path"]
    assert message in error["message"]
    outcome.assert_findings(("b.yaml", 4, "unknown-field"))
    assert "" == outcome.err


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param(GOOD.replace("ConfigMap", "../../x"), None, id="kind is a path"),
        pytest.param(GOOD.replace("ConfigMap", "7"), "yaml-wrong-scalar", id="kind is a number"),
        pytest.param(GOOD.replace("ConfigMap", "[Pod]"), "wrong-type", id="kind is a list"),
        pytest.param(GOOD.replace("ConfigMap", "{a: b}"), "wrong-type", id="kind is a map"),
        pytest.param(GOOD.replace("ConfigMap", "null"), "missing-field", id="kind is null"),
        pytest.param(GOOD.replace("v1", "../../../etc"), None, id="apiVersion is a path"),
        pytest.param(GOOD.replace("v1", "true"), "yaml-wrong-scalar", id="apiVersion is a boolean"),
    ],
)
def test_check_when_kind_or_version_is_odd_then_it_is_found_or_named_as_not_checked(repo, text, rule):
    outcome = repo({"a.yaml": text}).run("check")
    report = outcome.json()
    rules = {finding["rule"] for finding in report["findings"]}
    reasons = {skipped["reason"] for skipped in report["coverage"]["skipped"]}
    assert (rule in rules) if rule else (rules or reasons == {"no schema"})
    assert outcome.code in (0, 1)
    assert "" == outcome.err


def test_check_when_a_file_is_huge_then_it_is_refused_unread(repo):
    sandbox = repo({"a.yaml": GOOD})
    with (sandbox.root / "a.yaml").open("r+b") as stream:
        stream.truncate(100 << 20)  # sparse: takes no room on the disk
    started = time.monotonic()
    outcome = sandbox.run("check")
    outcome.assert_code(2)
    (error,) = outcome.json()["errors"]
    assert "a.yaml" in error["message"]
    assert time.monotonic() - started < 5


def test_check_when_a_name_is_a_pipe_then_it_does_not_wait_for_a_writer(repo):
    sandbox = repo({"b.yaml": BAD})
    os.mkfifo(sandbox.root / "a.yaml")
    code, out, err = finished(process(sandbox, "check"))
    assert (1, "") == (code, err)
    assert "b.yaml:4:1: error unknown-field" in out


def test_check_when_the_configuration_is_a_directory_or_no_text_then_a_clear_error(repo):
    outcome = repo({".gitops-guard.yaml": b"\xff\xfe"}).run("check")
    outcome.assert_code(2)
    assert ".gitops-guard.yaml:1: is not UTF-8 text" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["check"], 0, "", id="work tree"),
        pytest.param(["check", "--staged"], 0, "", id="index"),
        pytest.param(["check", "--rev", "HEAD"], 2, "has no commit yet", id="revision"),
        pytest.param(["check", "--new-from", "HEAD"], 2, "has no commit yet", id="new-from"),
        pytest.param(["check", "--from", "HEAD"], 2, "has no commit yet", id="from"),
    ],
)
def test_check_when_head_is_unborn_then_what_there_is_is_checked_or_a_clear_error(repo, arguments, code, message):
    outcome = repo().call(arguments)
    outcome.assert_code(code)
    assert message in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("option", ["--rev", "--from", "--new-from", "--trusted-rev"])
def test_check_when_a_revision_is_unknown_then_it_is_named(repo, option):
    sandbox = repo().commit(
        {"a.yaml": GOOD, ".gitops-guard.yaml": "plugins: [a.py]\n"} if "trusted" in option else {"a.yaml": GOOD}
    )
    outcome = sandbox.call(["check", option, "no-such"])
    outcome.assert_code(2)
    assert "no-such: names no commit" in outcome.err
    assert "" == outcome.out


@pytest.mark.parametrize("option", ["--new-from", "--from"])
def test_check_when_a_shallow_clone_lacks_the_merge_base_then_the_remedy_is_named(repo, tmp_path, option):
    sandbox = repo().commit({"a.yaml": GOOD})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    sandbox.commit({"b.yaml": GOOD})
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"c.yaml": GOOD})
    url = f"file://{sandbox.root}"
    sandbox.git("clone", "--quiet", "--depth", "1", "--no-single-branch", url, str(tmp_path / "shallow"))
    outcome = sandbox.run("check", option, "origin/topic", directory="../shallow")
    outcome.assert_code(2)
    assert "this is a shallow clone" in outcome.err
    assert "--unshallow" in outcome.err


# --- surroundings: real processes ------------------------------------------------------------------------------


def process(sandbox, *arguments, **options):
    """Start the tool as a process of its own."""
    variables = {**sandbox.environment, "PYTHONPATH": str(ROOT), **options.pop("variables", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(
        [sys.executable, "-m", "gitops_guard", *arguments], cwd=sandbox.root, env=variables, **options
    )


def finished(started) -> tuple[int, str, str]:
    out, err = started.communicate(timeout=60)
    texts = [text.decode("utf-8", "replace") if text is not None else "" for text in (out, err)]
    assert "Traceback" not in "".join(texts)
    return started.returncode, *texts


def without_privileges():
    """Let even root be refused by permission bits: the capabilities that override them are dropped before exec."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; whoever is not root has none to drop


def test_check_when_a_file_may_not_be_read_then_an_error_entry_names_it(repo):
    sandbox = repo({"a.yaml": GOOD, "b.yaml": BAD})
    (sandbox.root / "a.yaml").chmod(0)
    code, out, err = finished(process(sandbox, "check", "--format", "json", preexec_fn=without_privileges))
    assert (2, "") == (code, err)
    report = json.loads(out)
    assert [("a.yaml", "b.yaml")] == [(report["errors"][0]["path"], report["findings"][0]["path"])]
    assert "ermission denied" in report["errors"][0]["message"]


@pytest.mark.parametrize("arguments", [["check"], ["check", "a.yaml"], ["check", "--format", "json"]])
def test_check_when_the_cache_may_not_be_written_then_the_verdict_is_the_same(repo, tmp_path, arguments):
    sandbox = repo({"a.yaml": GOOD})
    expected = finished(process(sandbox, *arguments))
    (tmp_path / "cache").mkdir(mode=0o500)
    variables = {"GITOPS_GUARD_CACHE_DIR": str(tmp_path / "cache")}
    assert expected == finished(process(sandbox, *arguments, variables=variables, preexec_fn=without_privileges))
    assert [] == list((tmp_path / "cache").iterdir())


def test_check_when_the_cache_is_no_directory_then_the_verdict_is_the_same(repo, tmp_path):
    (tmp_path / "file").write_text("mine")
    sandbox = repo({"a.yaml": BAD})
    assert 1 == sandbox.run("check", GITOPS_GUARD_CACHE_DIR=str(tmp_path / "file")).code
    assert 1 == sandbox.run("check", GITOPS_GUARD_CACHE_DIR=str(tmp_path / "file" / "below")).code
    assert "mine" == (tmp_path / "file").read_text()


def no_room():
    """Let no file grow: writing fails as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_check_when_the_disk_of_the_cache_is_full_then_the_verdict_is_the_same(repo, tmp_path):
    sandbox = repo({f"{n}.yaml": BAD if n == 3 else GOOD for n in range(5)})
    folder = tmp_path / "cache"
    first = finished(process(sandbox, "check", variables={"GITOPS_GUARD_CACHE_DIR": str(folder)}, preexec_fn=no_room))
    assert [] == [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    again = finished(process(sandbox, "check", variables={"GITOPS_GUARD_CACHE_DIR": str(folder)}))
    assert first == again == finished(process(sandbox, "check", "--no-cache"))
    assert 1 == first[0]


def test_write_baseline_when_the_disk_is_full_then_the_old_one_is_whole(repo):
    sandbox = repo({"a.yaml": BAD, "known.json": "old"})
    code, out, err = finished(process(sandbox, "check", "--write-baseline", "known.json", preexec_fn=no_room))
    assert (2, "") == (code, out)
    assert "known.json: cannot be written: File too large" in err
    assert ["a.yaml", "known.json"] == sorted(path.name for path in sandbox.root.iterdir() if path.is_file())
    assert "old" == (sandbox.root / "known.json").read_text()


def test_init_when_the_disk_is_full_then_nothing_is_left(repo):
    sandbox = repo()
    code, _, err = finished(process(sandbox, "init", preexec_fn=no_room))
    assert 2 == code
    assert ".gitops-guard.yaml: cannot be written: File too large" in err
    assert [".git"] == [path.name for path in sandbox.root.iterdir()]


@pytest.mark.parametrize("content", [GOOD, BAD], ids=["clean", "with findings"])
def test_check_when_standard_output_is_full_then_it_is_no_pass(repo, content):
    with open("/dev/full", "wb") as full:
        code, _, err = finished(process(repo({"a.yaml": content}), "check", stdout=full))
    assert 2 == code
    assert "gitops-guard: error: standard output: No space left on device\n" == err


@pytest.mark.parametrize("content", [GOOD, BAD], ids=["clean", "with findings"])
def test_check_when_standard_output_is_closed_then_it_is_no_pass(repo, content):
    code, _, err = finished(process(repo({"a.yaml": content}), "check", stdout=None, preexec_fn=lambda: os.close(1)))
    assert 2 == code
    assert "gitops-guard: error: standard output is closed" in err


def test_check_when_the_reader_leaves_then_it_ends_quietly(repo):
    sandbox = repo({f"{n:04}.yaml": BAD.replace("dta", "d" * 500) for n in range(400)})
    started = process(sandbox, "check", "--no-cache")
    assert b"0000.yaml:4:1: error unknown-field" in started.stdout.readline()
    started.stdout.close()
    with started.stderr as stream:
        assert b"" == stream.read()
    assert 2 == started.wait(60)


ASCII = {"PYTHONIOENCODING": "ascii"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("style", "variables"),
    [
        *(pytest.param(style, ASCII, id=f"{style} ASCII") for style in ("text", "json", "junit", "github", "markdown")),
        pytest.param("text", C_LOCALE, id="text C locale"),
        pytest.param("text", {"PYTHONIOENCODING": "utf-8"}, id="text UTF-8"),
    ],
)
def test_check_when_names_do_not_fit_the_encoding_then_they_are_written_escaped(repo, variables, style):
    sandbox = repo({"größe-\udcff.yaml": BAD.replace("name: a", "name: ä")})
    code, out, err = finished(process(sandbox, "check", "--format", style, variables=variables))
    assert (1, "") == (code, err)
    assert "unknown-field" in out


SLOW_RULE = """
import time
from gitops_guard.hookspecs import hookimpl
from gitops_guard.model import Severity


class Slow:
    id, severity, kinds, summary = "slow-rule", Severity.NOTE, ("*",), "Takes its time."

    def check(self, resource, context):
        time.sleep(0.03)
        return iter(())


@hookimpl
def gitops_guard_rules():
    return [Slow()]
"""


def long_work(repo, **options):
    """Start a check of two seconds in three processes, whatever the machine."""
    sandbox = repo({f"{n:03}.yaml": GOOD.replace("name: a", f"name: a{n}") for n in range(MANY)}).write(
        {"slow.py": SLOW_RULE}
    )
    return process(sandbox, "check", "--no-cache", "-j", "3", "-p", "slow.py", preexec_fn=with_interrupts, **options)


def with_interrupts():
    """Let SIGINT end the process: shells start what they run in the background with SIGINT ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def children(pid: int) -> list[int]:
    """List the forked workers of a process; the Git commands that it runs first are none."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, parent = tail.split()[:2]
        if int(parent) == pid and state != "Z" and not head.endswith("(git"):
            found.append(int(stat.parent.name))
    return found


def workers_of(started) -> list[int]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and started.poll() is None:
        if len(found := children(started.pid)) >= 2:
            return found
    raise AssertionError(f"no workers were seen: {finished(started)}")


def test_check_when_interrupted_then_130_and_no_process_is_left(repo):
    started = long_work(repo, start_new_session=True)
    workers = workers_of(started)
    os.killpg(started.pid, signal.SIGINT)
    code, out, err = finished(started)
    assert (130, "", "gitops-guard: interrupted\n") == (code, out, err)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


def test_check_when_only_the_parent_is_interrupted_then_it_ends_its_workers(repo):
    started = long_work(repo)
    workers = workers_of(started)
    os.kill(started.pid, signal.SIGINT)
    assert 130 == finished(started)[0]
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


def test_check_when_a_worker_is_killed_then_it_is_no_pass(repo):
    started = long_work(repo)
    workers = workers_of(started)
    os.kill(workers[0], signal.SIGKILL)
    code, out, err = finished(started)
    assert (2, "") == (code, out)
    assert "gitops-guard: error: a worker process was killed" in err
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


class BrokenStream(io.StringIO):
    """Fails as no stream does: what follows is taken for a bug of ours."""

    def write(self, text: str) -> int:
        raise ValueError(f"hunter2 {text}")


def test_check_when_we_have_a_bug_then_3_and_a_log_without_content(repo, tmp_path, monkeypatch, capsys):
    sandbox = repo({"a.yaml": BAD})
    for name, value in {**sandbox.environment, "GITOPS_GUARD_CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(sandbox.root)
    monkeypatch.setattr(sys, "stdout", BrokenStream())
    assert 3 == cli.main(["check"])
    err = capsys.readouterr().err
    (log,) = (tmp_path / "cache").glob("gitops-guard-*.log")
    assert f"gitops-guard: this is a bug (ValueError); please report it with the log {log}" in err
    text = log.read_text()
    assert "builtins.ValueError" in text
    assert "commands/check.py" in text
    for content in ("hunter2", "unknown-field", "dta", "a.yaml"):
        assert content not in text + err
