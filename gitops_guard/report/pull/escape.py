"""Content in Markdown: it stands in code spans, fences and escaped HTML only, and links lead to the forge alone."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from gitops_guard.report.markdown import code
from gitops_guard.report.simulation.chart import escape

_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where links may lead: addresses that the forge or the CI gave us, never content."""

    file: str = ""
    """With `{path}` and `{line}`: `https://github.com/acme/shop/blob/1a2b/{path}#L{line}`; empty: no links."""

    report: str = ""
    """Where the full report lies."""

    run: str = ""
    """The job's own page."""

    def place(self, path: str, line: int) -> str:
        """Return `path:line` as a code span, with a link where that is known."""
        shown = code(f"{path}:{line}" if line else path)
        if not self.file or not path or path.startswith(("/", "-")) or ".." in path.split("/"):
            return shown
        address = self.file.replace("{line}", str(max(line, 1)))
        return f"[{shown}]({address.replace('{path}', quote(path.encode('utf-8', 'surrogatepass')))})"


def cell(text: str) -> str:
    """Return a code span for a cell of a table."""
    return code(text).replace("|", "\\|")


def name_in_html(text: str) -> str:
    """Return a name for the head of a folded block, which is HTML."""
    shown = text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}..."
    return f"<code>{escape(shown)}</code>"


def folded(head: str, body: list[str], *, is_open: bool = False) -> str:
    """Return a block that can be folded; the blank lines make what is inside Markdown again."""
    opened = " open" if is_open else ""
    return "\n".join([f"<details{opened}><summary>{head}</summary>", "", *body, "", "</details>", "", ""])
