"""Draw docs/images/check.svg: what `gitops-guard check` really prints about examples/shop on a terminal.

`make docs` runs it; tests/docs/test_picture.py fails when the picture's text is not what the command prints.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "check.svg"
# Which tools a machine has must not change the picture, so nothing is rendered for it.
COMMAND = ["check", "--no-render", "--config", "examples/shop/.gitops-guard.yaml", "examples/shop"]
SHOWN = "gitops-guard check examples/shop"
COLUMNS, FIRST, LAST = 110, 26, 4
_GAP = "..."
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_STYLES = {"1": "bold", "2": "dim", "31": "red", "33": "yellow", "36": "cyan", "34": "blue", "32": "green"}
_STYLE_SHEET = (
    "text{font:13px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#d8dee9;white-space:pre}"
    ".bold{font-weight:bold}.dim{fill:#7b8794}.red{fill:#ff6b6b}.yellow{fill:#f2c14e}.cyan{fill:#5ccfe6}"
    ".blue{fill:#74a7ff}.green{fill:#8fd694}.prompt{fill:#8fd694}"
)
_LINE, _CHARACTER, _EDGE = 18, 7.85, 16


def printed() -> list[str]:
    """Run the command on a pseudo-terminal and return its lines, ANSI codes included."""
    with tempfile.TemporaryDirectory() as home:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITOPS_GUARD_", "XDG_"))}
        kept.pop("NO_COLOR", None)
        environment = {**kept, "HOME": home, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", "gitops_guard", *COMMAND], cwd=ROOT, env=environment, stdin=theirs, stdout=theirs
        )
        os.close(theirs)
        text = _read_all(ours).decode("utf-8", "replace")
        process.wait()
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


def _read_all(descriptor: int) -> bytes:
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # Linux's way to say that the other side has closed
            part = b""
        if not part:
            os.close(descriptor)
            return b"".join(parts)
        parts.append(part)


def plain(line: str) -> str:
    """Return a line without its ANSI codes."""
    return _SGR.sub("", line)


def chosen(lines: list[str]) -> list[str]:
    """Return the lines that the picture shows: the first findings, whole, and the summary."""
    if len(lines) <= FIRST + LAST:
        return lines
    end = next(number for number in range(FIRST, 0, -1) if not plain(lines[number]).strip())
    return [*lines[:end], "", f"\x1b[2m{_GAP}\x1b[0m", "", *lines[-LAST:]]


def draw(lines: list[str]) -> str:
    """Return the picture of some lines."""
    rows = [f'<tspan class="prompt">$</tspan> {escape(SHOWN)}', "", *("".join(_spans(line)) for line in lines)]
    height = 2 * _EDGE + _LINE * len(rows)
    width = round(2 * _EDGE + _CHARACTER * COLUMNS)
    texts = [
        f'<text x="{_EDGE}" y="{_EDGE + _LINE * (number + 1) - 5}" xml:space="preserve">{row}</text>'
        for number, row in enumerate(rows)
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{SHOWN}">'
    back = f'<rect width="{width}" height="{height}" rx="8" fill="#1b2129"/>'
    return "\n".join([head, f"<style>{_STYLE_SHEET}</style>", back, *texts, "</svg>", ""])


def _spans(line: str) -> Iterator[str]:
    styles: list[str] = []
    position = 0
    cut = line if len(plain(line)) <= COLUMNS else plain(line)[: COLUMNS - 1] + "…"
    for found in _SGR.finditer(cut):
        yield _span(cut[position : found.start()], styles)
        position = found.end()
        for code in found[1].split(";"):
            styles = [] if code in {"", "0"} else [*styles, _STYLES.get(code, "bold")]
    yield _span(cut[position:], styles)


def _span(text: str, styles: list[str]) -> str:
    if not text:
        return ""
    return f'<tspan class="{" ".join(styles)}">{escape(text)}</tspan>' if styles else escape(text)


def text_of(picture: str) -> list[str]:
    """Return the lines that a picture shows."""
    rows = re.findall(r"<text [^>]*>(.*?)</text>", picture)
    return [unescape(re.sub(r"<[^>]+>", "", row)) for row in rows]


def main() -> None:
    """Write the picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(chosen(printed())), encoding="utf-8")


if __name__ == "__main__":
    main()
