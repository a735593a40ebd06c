"""`docs/how-to/own-rule.md`, executed: its files are written, its commands are run, and their output is what it shows."""

import fnmatch
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "how-to" / "own-rule.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(`{3,4})(yaml|python|text|console)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)


def steps() -> Iterator[tuple[str, str]]:
    """Yield (file, content) and (`$ command`, output) in the order of the page."""
    for _, kind, text in BLOCK.findall(PAGE):
        if kind != "console":
            path, content = text.split("\n", 1)
            yield path.removeprefix("# "), content
            continue
        for command in re.split(r"^(?=\$ )", text, flags=re.MULTILINE)[1:]:
            line, _, output = command.partition("\n")
            yield line, output


def matches(shown: str, output: str) -> bool:
    """Compare with what the page shows, in which a line `...` stands for any lines."""
    pattern = "".join("*" if line == "...\n" else re.sub(r"([*?\[])", r"[\1]", line) for line in shown.splitlines(True))
    return fnmatch.fnmatchcase(output, pattern)


def test_page_when_its_steps_are_carried_out_then_all_is_as_it_says(repo: Callable[..., Any], tmp_path: Path) -> None:
    sandbox = repo({})
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, module in (("gitops-guard", "-m gitops_guard "), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n')
        (tools / name).chmod(0o755)
    environment = {**sandbox.environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PATH"] = f"{tools}:{environment['PATH']}"
    commands = 0
    for what, text in steps():
        if not what.startswith("$ "):
            sandbox.write({what: text})
            continue
        done = subprocess.run(
            ["bash", "-c", what[2:]], cwd=sandbox.root, env=environment, text=True, timeout=100, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert matches(text, done.stdout), f"{what}\n--- page\n{text}--- is\n{done.stdout}"
        commands += 1
    assert 12 == commands
    assert "1" == sandbox.git("rev-list", "--count", "HEAD").strip()
