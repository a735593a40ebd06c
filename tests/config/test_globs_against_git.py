"""Our reading of one pattern is git's own: compared with `git check-ignore` on generated patterns and paths."""

import random
import subprocess
from pathlib import Path

import pytest

from gitops_guard.config.globs import PathSet

SEGMENTS = ["a", "b", "ab", "*", "?", "**", "a*", "*b", "[ab]", "[!a]", "a?", ".x", "\\*", "\\a"]
NAMES = ["a", "b", "ab", "abc", ".x", "*", "c"]


def _pattern(source: random.Random) -> str:
    middle = "/".join(source.choices(SEGMENTS, k=source.randint(1, 3)))
    return f"{source.choice(['', '', '', '/'])}{middle}{source.choice(['', '', '', '/'])}"


def _ignored(repository: Path, pattern: str, paths: list[str]) -> set[str]:
    (repository / ".gitignore").write_text(f"{pattern}\n")
    command = ["git", "-C", str(repository), "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"]
    done = subprocess.run(command, input="\0".join(paths), capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return set(done.stdout.split("\0")) - {""}


@pytest.mark.parametrize("seed", range(60))
def test_path_set_when_pattern_is_generated_then_agrees_with_git(seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    pattern = _pattern(source)
    paths = sorted({"/".join(source.choices(NAMES, k=source.randint(1, 4))) for _ in range(40)})
    ours = PathSet([pattern])
    assert _ignored(tmp_path, pattern, paths) == {path for path in paths if ours.matches(path)}, pattern
