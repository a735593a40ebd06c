"""The authorizer: what may be asked can be built anywhere, the answer is the cluster's and therefore unknown here."""

from gitops_guard.cel.errors import CelError, CelUnknown
from gitops_guard.cel.functions import Library
from gitops_guard.cel.library.formats import NAMED_FORMATS
from gitops_guard.cel.values import Opaque


class Authorizer(Opaque):
    """The root of every question: the variable `authorizer`."""

    __slots__ = ()
    type_name = "kubernetes.authorization.Authorizer"


class PathCheck(Opaque):
    """A question about a URL path."""

    __slots__ = ()
    type_name = "kubernetes.authorization.PathCheck"


class GroupCheck(Opaque):
    """A question about an API group, without a resource yet."""

    __slots__ = ()
    type_name = "kubernetes.authorization.GroupCheck"


class ResourceCheck(Opaque):
    """A question about a resource: also the variable `authorizer.requestResource`."""

    __slots__ = ()
    type_name = "kubernetes.authorization.ResourceCheck"


class Decision(Opaque):
    """An answer; none can be had here, the class names its type."""

    __slots__ = ()
    type_name = "kubernetes.authorization.Decision"


AUTHORIZER = Library("authorizer", types=(Authorizer, PathCheck, GroupCheck, ResourceCheck, Decision))
SELECTORS = Library("authorizer.selectors")


@AUTHORIZER.method("path", Authorizer, str)
def _path(_authorizer: Authorizer, path: str) -> PathCheck:
    if not path:
        raise CelError("path must not be empty")
    return PathCheck()


@AUTHORIZER.method("group", Authorizer, str)
def _group(_authorizer: Authorizer, _name: str) -> GroupCheck:
    return GroupCheck()


@AUTHORIZER.method("serviceAccount", Authorizer, str, str)
def _service_account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    if NAMED_FORMATS["dns1123Subdomain"].check(name):
        raise CelError("Invalid service account name")
    if NAMED_FORMATS["dns1123Label"].check(namespace):
        raise CelError("Invalid service account namespace")
    return authorizer


@AUTHORIZER.method("resource", GroupCheck, str)
def _resource(_group: GroupCheck, name: str) -> ResourceCheck:
    if not name:
        raise CelError("resource must not be empty")
    return ResourceCheck()


@AUTHORIZER.method("subresource", ResourceCheck, str)
@AUTHORIZER.method("namespace", ResourceCheck, str)
@AUTHORIZER.method("name", ResourceCheck, str)
@SELECTORS.method("fieldSelector", ResourceCheck, str)
@SELECTORS.method("labelSelector", ResourceCheck, str)
def _narrowed(check: ResourceCheck, _value: str) -> ResourceCheck:
    return check


@AUTHORIZER.method("check", PathCheck, str)
@AUTHORIZER.method("check", ResourceCheck, str)
def _check(_check: Opaque, _verb: str) -> Decision:
    raise CelUnknown("the cluster's authorizer cannot be asked here")


@AUTHORIZER.method("allowed", Decision)
@AUTHORIZER.method("errored", Decision)
@AUTHORIZER.method("reason", Decision)
@AUTHORIZER.method("error", Decision)
def _answer(_decision: Decision) -> object:
    raise CelUnknown("the cluster's authorizer cannot be asked here")
