"""webhook-without-backend: a webhook that must be asked is created together with what answers it."""

from collections.abc import Iterator

from gitops_guard.model import Problem
from gitops_guard.rollout.case import struct, structs
from gitops_guard.rollout.change import Change, Pair
from gitops_guard.rollout.hazards.hazard import Hazard

_KINDS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def find(change: Change) -> Iterator[Hazard]:
    """Yield new webhooks with failurePolicy Fail whose Service is new too."""
    services = {(pair.id.namespace, pair.id.name): pair for pair in change.of_kind("Service") if not pair.id.group}
    for pair in change.of_kind(*_KINDS):
        if pair.after is None or not pair.changed:
            continue
        for index, webhook in enumerate(structs(pair.after.body.get("webhooks"))):
            wanted = struct(struct(webhook.get("clientConfig")).get("service"))
            service = services.get((str(wanted.get("namespace")), str(wanted.get("name"))))
            if webhook.get("failurePolicy", "Fail") == "Fail" and service is not None and _is_new(service):
                message = (
                    f"Service {service.id.namespace}/{service.id.name} is created by the same change: until a pod"
                    " behind it is ready, every request that matches the webhook is refused"
                )
                hint = "failurePolicy: Ignore at first, or a later sync wave"
                field = ("webhooks", index, "clientConfig", "service")
                problem = Problem(rule="webhook-without-backend", field=field, message=message, hint=hint)
                yield Hazard(pair.after, problem)


def _is_new(service: Pair) -> bool:
    return service.before is None and service.after is not None
