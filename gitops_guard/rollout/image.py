"""Image references, as far as a rollout cares: does the text say which bits run?"""

import re

from gitops_guard.model import Body, FieldPath
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import template_of

_MOVING = re.compile(
    r"(?:latest|main|master|trunk|head|develop|development|dev|edge|nightly|stable|current|snapshot|canary|unstable"
    r"|staging|prod|production|test)\Z",
    re.IGNORECASE,
)
"""Tags that people move on purpose. Version-like tags may move too, but mostly do not."""


def images(body: Body) -> list[tuple[FieldPath, str]]:
    """Return the images of a workload's pods with their paths."""
    spec = struct(template_of(body).get("spec"))
    found: list[tuple[FieldPath, str]] = []
    for key in ("initContainers", "containers"):
        for index, container in enumerate(structs(spec.get(key))):
            image = container.get("image")
            if isinstance(image, str):
                found.append((("spec", "template", "spec", key, index, "image"), image))
    return found


def is_mutable(image: str) -> bool:
    """Tell whether an image is named by a tag that people move: none at all, `latest`, a branch."""
    if "@" in image:
        return False
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return not colon or _MOVING.match(tag) is not None


def mutable_images(body: Body) -> list[str]:
    """Return the images of a workload that may change without a change of its manifest."""
    return [image for _, image in images(body) if is_mutable(image)]
