"""Which params a binding gives to its policy for one request."""

from dataclasses import dataclass

from gitops_guard.model import Body
from gitops_guard.policy.evaluate import CannotTell
from gitops_guard.policy.kinds import ApiResource
from gitops_guard.policy.request import Request, World
from gitops_guard.policy.spec import BindingSpec, ParamRef, PolicySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Misconfigured:
    """What the API server says about a policy or binding that cannot be put to use for a request."""

    message: str


Params = list[Body | None]


def params_of(
    policy: PolicySpec, binding: BindingSpec, request: Request, world: World
) -> Params | Misconfigured | CannotTell:
    """Return the params to evaluate a policy with, one after the other; none at all when the binding says so."""
    if policy.param_kind is None or binding.param_ref is None:
        return [None]
    reference = binding.param_ref
    api_version, kind = policy.param_kind
    resource = _resource(api_version, kind, world)
    namespace = _namespace(reference, resource, request)
    if isinstance(namespace, (Misconfigured, CannotTell)):
        return namespace
    found = [
        body
        for identity, body in world.objects(api_version, kind)
        if (not namespace or identity.namespace == namespace) and _selects(reference, identity.name, body)
    ]
    if found:
        return list(found)
    if reference.allows_none:
        return []
    # the API server has no words of its own for a name that is not there either
    return Misconfigured(message="no params found for policy binding with `Deny` parameterNotFoundAction")


def _resource(api_version: str, kind: str, world: World) -> ApiResource:
    group = api_version.rpartition("/")[0]
    namespaced = any(identity.namespace for identity, _ in world.objects(api_version, kind))
    return world.resources.find(group, kind, has_namespace=namespaced)


def _namespace(reference: ParamRef, resource: ApiResource, request: Request) -> str | Misconfigured | CannotTell:
    if not resource.namespaced:
        if reference.namespace:
            return Misconfigured(message="paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        return ""
    if reference.namespace:
        return reference.namespace
    if not request.resource.namespaced:
        return Misconfigured(
            message="cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
        )
    return request.namespace or CannotTell(reason="params lie in the object's namespace, and the manifest names none")


def _selects(reference: ParamRef, name: str, body: Body) -> bool:
    if reference.name:
        return name == reference.name
    metadata = body.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    assert reference.selector is not None, "a reference has a name or a selector"
    return reference.selector.matches(labels if isinstance(labels, dict) else {})
