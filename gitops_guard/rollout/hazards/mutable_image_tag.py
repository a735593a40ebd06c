"""mutable-image-tag: the image may change without the manifest, and then nothing rolls."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.hazards.hazard import Hazard
from gitops_guard.rollout.image import images, is_mutable


def find(change: Change) -> Iterator[Hazard]:
    """Yield images of changed workloads that are named by a tag which people move."""
    for pair in change.workloads:
        if pair.after is None or not pair.changed:
            continue
        for path, image in images(pair.after.body):
            if is_mutable(image):
                message = f"the tag of {image} may move: new bits roll nothing, and pods of one template may differ"
                hint = "a version, or a digest (@sha256:...)"
                yield Hazard(pair.after, Problem(rule="mutable-image-tag", field=path, message=message, hint=hint))
