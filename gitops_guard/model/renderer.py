"""What a renderer is: the step from a file that is no manifest to the resources that it stands for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from gitops_guard.model.resource import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedResource:
    """One resource that a renderer made of a source file."""

    body: Body
    line: int
    """1-based line of the source file that defines the resource; findings on it point there."""


class Renderer(Protocol):
    """Turns files of one kind into resources, offline: it reads the tree through `read` alone."""

    @property
    def name(self) -> str:
        """Return the renderer's name, as it is shown in errors: `jsonnet`."""

    def claims(self, path: str) -> bool:
        """Say whether the renderer takes the file, by its repository path alone."""

    def render(self, path: str, data: bytes, read: Callable[[str], bytes]) -> Iterable[RenderedResource]:
        """Yield the resources of one file.

        Args:
            path: Repository path of the file.
            data: Its bytes.
            read: Reads another file of the same tree by its repository path.

        Raises:
            GuardError: The file cannot be rendered; it becomes an error entry of the report.
        """
