"""What a cluster's answers mean when they are errors, and the exceptions that say so.

    ClusterError                    (in gitops_guard.errors)
    +-- AccessError                 we do not know how to reach it, or who we are: no retry helps
    +-- UnreachableError            no answer came
    +-- ApiError                    it answered, with an error
    +-- LeaseHeldError              somebody else works there
    +-- CancelledError              `Client.cancel` was called

Status codes alone mislead: 500 may be final, 403 may pass, a 404 need not mean that an object is gone. So every answer
has a class, found from status, reason and the kind of its body. Texts hold no credentials.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gitops_guard.errors import ClusterError
from gitops_guard.model import Json

_LONGEST_MESSAGE: Final = 4096
_MOST_CAUSES: Final = 1000
_WEBHOOK_DENIED: Final = re.compile(r'admission webhook "[^"]*" denied the request')
_NO_DRY_RUN: Final = re.compile(r"does not support dry[ -]?run|dry[ -]?run (?:is )?not supported", re.IGNORECASE)
_POLICY_DENIED: Final = re.compile(r"ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request")
_NO_RIGHT: Final = re.compile(r'(?:^|: )User "[^"]*" cannot ')
_NO_NAMESPACE: Final = re.compile(r'^namespaces "[^"]*" not found')
_WRONG_VALUE: Final = re.compile(r"failed to create typed (?:patch|live) object|\.managedFields")
_PRECONDITION: Final = re.compile(r"[Pp]recondition failed|the object has been modified")


class ErrorClass(StrEnum):
    """What an error answer means; a closed set."""

    BAD_REQUEST = "bad request"
    NOT_DRY_RUNNABLE = "cannot be dry-run"
    """A webhook refuses dry-runs themselves; it says nothing about the object."""

    DENIED = "denied by admission"
    """A webhook, a ValidatingAdmissionPolicy or an admission plugin refuses the object."""

    WRONG_OBJECT = "not of its schema"
    """The object cannot be applied as it is written: an unknown field, a duplicate key. Final, although a 500."""

    WEBHOOK_DOWN = "webhook cannot be called"
    OVERLOADED = "overloaded or starting"
    UNAUTHENTICATED = "credentials refused"
    TERMINATING = "namespace is being deleted"
    QUOTA = "quota exceeded"
    UNSETTLED = "rights may not be known yet"
    """A missing right right after a lost connection: a server that starts does not know its roles yet."""

    FORBIDDEN = "no right"
    """Never means that the object is absent."""

    NOT_SERVED = "kind not served"
    NO_NAMESPACE = "namespace missing"
    NOT_FOUND = "not found"
    UNSUPPORTED = "method or patch type not supported"
    CONFLICT = "fields of another manager"
    ALREADY_EXISTS = "already exists"
    CHANGED = "changed meanwhile"
    """A uid or resourceVersion that the request named is not that of the object."""

    RACE = "concurrent change inside the server"
    EXPIRED = "resource version or continue token expired"
    TOO_LARGE = "request too large"
    INVALID = "invalid"
    """Invalid, or a change of what may not change."""

    SERVER_ERROR = "server error"

    @property
    def is_temporary(self) -> bool:
        """Tell whether the same request may succeed later without anybody changing anything."""
        return self in _TEMPORARY


_TEMPORARY: Final = frozenset(
    (
        ErrorClass.WEBHOOK_DOWN,
        ErrorClass.OVERLOADED,
        ErrorClass.UNSETTLED,
        ErrorClass.RACE,
        ErrorClass.SERVER_ERROR,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One of the causes that the server gives."""

    reason: str
    """`FieldValueInvalid`, `FieldManagerConflict`."""

    field: str
    """`spec.replicas`; of a conflict `.spec.replicas`; empty when there is none."""

    message: str
    """Of a conflict it names the manager: `conflict with "kubectl" using apps/v1`."""


class AccessError(ClusterError):
    """The way to the cluster or the credentials are wrong: no retry helps."""


class CancelledError(ClusterError):
    """The work with the cluster was called off."""


class UnreachableError(ClusterError):
    """No answer came: refused, reset, timed out, unknown host, or more bytes than we take."""

    def __init__(self, cluster: str, request: str, why: str) -> None:
        super().__init__(cluster, request, why)
        self.cluster = cluster
        """Name of the cluster, as in its context."""

        self.request = request
        """`GET /api/v1/nodes`."""

        self.why = why

    def __str__(self) -> str:
        return f"cluster {self.cluster} cannot be reached: {self.why} ({self.request})"


class ApiError(ClusterError):
    """The server answered with an error."""

    def __init__(
        self,
        cluster: str,
        request: str,
        error_class: ErrorClass,
        *,
        status: int,
        reason: str = "",
        message: str = "",
        causes: tuple[Cause, ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(cluster, request, error_class, status, reason, message, causes, retry_after_s)
        self.cluster = cluster
        """Name of the cluster, as in its context."""

        self.request = request
        """`PATCH /apis/apps/v1/namespaces/shop/deployments/web`."""

        self.error_class = error_class
        self.status = status
        """HTTP status; 0 for a request that was not sent, since it could not succeed."""

        self.reason = reason
        """The server's word, `AlreadyExists`; empty when its answer had none."""

        self.message = message
        """The server's text, cut at 4 KiB; it may quote what was sent."""

        self.causes = causes
        self.retry_after_s = retry_after_s
        """What the server asks to wait, in seconds; None when it does not say."""

    def __str__(self) -> str:
        code = f"{self.status} {self.reason}".strip() if self.status else "not sent"
        return f"cluster {self.cluster}: {self.error_class} ({code}): {self.message} ({self.request})"


class LeaseHeldError(ClusterError):
    """Another holder has the lease."""

    def __init__(self, cluster: str, name: str, holder: str) -> None:
        super().__init__(cluster, name, holder)
        self.cluster = cluster
        self.name = name
        """`flux-system/gitops-guard`."""

        self.holder = holder

    def __str__(self) -> str:
        return f"cluster {self.cluster}: lease {self.name} is held by {self.holder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error answer as it was read, before it has a class."""

    status: int
    reason: str = ""
    message: str = ""
    causes: tuple[Cause, ...] = ()
    is_status: bool = False
    """The body is a Status object; a text means that something before the API answered."""


def read_refusal(status: int, body: Mapping[str, Json], text: str) -> Refusal:
    """Read an error answer.

    Args:
        status: HTTP status.
        body: The parsed JSON object; empty when the answer was none.
        text: The answer as text, used when there is no Status object.
    """
    if body.get("kind") != "Status":
        return Refusal(status=status, message=text.strip()[:_LONGEST_MESSAGE])
    details = body.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return Refusal(
        status=status,
        reason=_text(body.get("reason")),
        message=_text(body.get("message"))[:_LONGEST_MESSAGE],
        causes=tuple(_cause(one) for one in (causes if isinstance(causes, list) else [])[:_MOST_CAUSES]),
        is_status=True,
    )


def _cause(value: Json) -> Cause:
    given = value if isinstance(value, dict) else {}
    return Cause(
        reason=_text(given.get("reason")),
        field=_text(given.get("field")),
        message=_text(given.get("message"))[:_LONGEST_MESSAGE],
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def classify(refusal: Refusal, *, is_dry_run: bool = False, is_unstable: bool = False) -> ErrorClass:
    """Return what an error answer means; the first rule that matches wins.

    Args:
        refusal: The answer.
        is_dry_run: The request was a dry-run.
        is_unstable: A connection to this server was lost within the last seconds.
    """
    if _NO_DRY_RUN.search(refusal.message) and is_dry_run:
        return ErrorClass.NOT_DRY_RUNNABLE
    if _WEBHOOK_DENIED.search(refusal.message) or _POLICY_DENIED.search(refusal.message):
        return ErrorClass.DENIED
    if refusal.status in _BY_STATUS:
        return _BY_STATUS[refusal.status]
    if refusal.status >= 500:
        return _class_of_5xx(refusal)
    if refusal.status == 403:
        return _class_of_403(refusal, is_unstable=is_unstable)
    if refusal.status == 404:
        return _class_of_404(refusal)
    if refusal.status == 409:
        return _class_of_409(refusal)
    return ErrorClass.BAD_REQUEST


_BY_STATUS: Final = {
    401: ErrorClass.UNAUTHENTICATED,
    405: ErrorClass.UNSUPPORTED,
    410: ErrorClass.EXPIRED,
    413: ErrorClass.TOO_LARGE,
    415: ErrorClass.UNSUPPORTED,
    422: ErrorClass.INVALID,
    429: ErrorClass.OVERLOADED,
    503: ErrorClass.OVERLOADED,
    504: ErrorClass.OVERLOADED,
}


def _class_of_5xx(refusal: Refusal) -> ErrorClass:
    if _WRONG_VALUE.search(refusal.message):
        return ErrorClass.WRONG_OBJECT
    if "failed calling webhook" in refusal.message:
        return ErrorClass.WEBHOOK_DOWN
    if refusal.reason in ("ServerTimeout", "Timeout") or "etcdserver: leader changed" in refusal.message:
        return ErrorClass.OVERLOADED
    return ErrorClass.SERVER_ERROR


def _class_of_403(refusal: Refusal, *, is_unstable: bool) -> ErrorClass:
    if any(cause.reason == "NamespaceTerminating" for cause in refusal.causes):
        return ErrorClass.TERMINATING
    if "exceeded quota" in refusal.message:
        return ErrorClass.QUOTA
    # what an admission plugin refuses (Pod Security, LimitRanger) is a 403 too; the authorizer always names the user
    if refusal.is_status and not _NO_RIGHT.search(refusal.message):
        return ErrorClass.DENIED
    return ErrorClass.UNSETTLED if is_unstable else ErrorClass.FORBIDDEN


def _class_of_404(refusal: Refusal) -> ErrorClass:
    if not refusal.is_status:
        return ErrorClass.NOT_SERVED
    return ErrorClass.NO_NAMESPACE if _NO_NAMESPACE.search(refusal.message) else ErrorClass.NOT_FOUND


def _class_of_409(refusal: Refusal) -> ErrorClass:
    if any(cause.reason == "FieldManagerConflict" for cause in refusal.causes):
        return ErrorClass.CONFLICT
    if refusal.reason == "AlreadyExists":
        return ErrorClass.ALREADY_EXISTS
    if "resourcequotas" in refusal.message:
        return ErrorClass.RACE
    return ErrorClass.CHANGED
