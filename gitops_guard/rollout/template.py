"""Pod templates as the API server stores them: when two are equal, where they differ, and what their pods request.

Controllers compare templates after defaulting, and null, empty and absent lists are one to them. So a template that
only spells out defaults does not roll, and one that spells out what is defaulted for pods alone does.
Defaults from kubernetes v1.36.3, pkg/apis/core/v1/defaults.go.
"""

import re
from collections.abc import Mapping
from fractions import Fraction

from gitops_guard.model import Body, FieldPath, Json, MapKey

_POD: dict[str, Json] = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
}
_CONTAINER: dict[str, Json] = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE: dict[str, Json] = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}

# Defaults by the key under which a struct stands; for lists, of their items.
_DEFAULTS: dict[str, dict[str, Json]] = {
    "containers": _CONTAINER,
    "initContainers": _CONTAINER,
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
    "httpGet": {"path": "/", "scheme": "HTTP"},
    "ports": {"protocol": "TCP"},
    "fieldRef": {"apiVersion": "v1"},
    "secret": {"defaultMode": 420},
    "configMap": {"defaultMode": 420},
    "downwardAPI": {"defaultMode": 420},
    "projected": {"defaultMode": 420},
    "serviceAccountToken": {"expirationSeconds": 3600},
}
_ZERO_IS_ABSENT = frozenset({"initialDelaySeconds", "hostPort", "timeoutSeconds", "periodSeconds"} | set(_PROBE))
_FALSE_IS_ABSENT = frozenset({"hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly"})
"""Booleans that are no pointers in the API types; all others tell false from absent."""

_MAPS = frozenset({"labels", "annotations", "nodeSelector", "matchLabels", "volumeAttributes", "limits", "requests"})
_QUANTITY_MAPS = frozenset({"limits", "requests"})
_QUANTITIES = frozenset({"sizeLimit", "divisor"})
_IN_PROJECTION = frozenset({"sources"})

_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60}


def canonical(template: Json) -> Json:
    """Return a pod template in the form in which equal templates are equal."""
    struct = template if isinstance(template, dict) else {}
    filled = _fill(struct, key="template", projected=False)
    spec = filled.get("spec")
    if isinstance(spec, dict):
        filled["spec"] = _canonical_pod(spec)
    return filled


def _canonical_pod(spec: dict[str, Json]) -> dict[str, Json]:
    pod = _POD | spec
    if account := pod.pop("serviceAccount", None):
        pod.setdefault("serviceAccountName", account)
    for volume in _structs(pod.get("volumes")):
        if set(volume) <= {"name"}:
            volume["emptyDir"] = {}
    # An empty struct is the default of this pointer.
    return {key: value for key, value in pod.items() if not (key == "securityContext" and value == {})}


def _structs(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _fill(struct: Mapping[str, Json], *, key: str, projected: bool) -> dict[str, Json]:
    """Drop what means absent and add what is defaulted, all the way down."""
    filled: dict[str, Json] = {}
    for name, value in struct.items():
        kept = _value(value, key=name, projected=projected or key in _IN_PROJECTION)
        if not _is_absent(name, kept):
            filled[name] = kept
    # Items of a projection share their keys with volumes but have no mode of their own.
    defaults = {} if projected and key in ("secret", "configMap", "downwardAPI") else _DEFAULTS.get(key, {})
    for name, default in defaults.items():
        filled.setdefault(name, default)
    if key in ("containers", "initContainers"):
        filled.setdefault("imagePullPolicy", _pull_policy(filled.get("image")))
        if filled.get("resources") == {}:
            del filled["resources"]
    return filled


def _value(value: Json, *, key: str, projected: bool) -> Json:
    if key in _MAPS and isinstance(value, dict):
        quantities = key in _QUANTITY_MAPS
        return {name: _quantity(item) if quantities else item for name, item in value.items()}
    if key in _QUANTITIES:
        return _quantity(value)
    if isinstance(value, dict):
        return _fill(value, key=key, projected=projected)
    if isinstance(value, list):
        inside = projected or key in _IN_PROJECTION
        return [_fill(item, key=key, projected=inside) if isinstance(item, dict) else item for item in value]
    return value


def _is_absent(name: str, value: Json) -> bool:
    if value is None or value in ("", []):
        return True
    if value == {}:
        return name in _MAPS
    if value is False:
        return name in _FALSE_IS_ABSENT
    return value == 0 and not isinstance(value, bool) and name in _ZERO_IS_ABSENT


def _pull_policy(image: Json) -> str:
    """defaults.go:SetDefaults_Container: Always for the tag latest, which is also that of an image without any."""
    name = image if isinstance(image, str) else ""
    if "@" in name:
        return "IfNotPresent"
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return "Always" if not colon or tag == "latest" else "IfNotPresent"


def _quantity(value: Json) -> Json:
    """Return one text for all ways to write a quantity; what is none stays as it is."""
    amount = quantity(value)
    return value if amount is None else f"{-(-amount * 1000 // 1)}m"


def quantity(value: Json) -> Fraction | None:
    """Return what a quantity such as `100m` or `1.5Gi` means; None when it is none."""
    text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    match = re.fullmatch(r"([+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30}))([eE][+-]?[0-9]{1,2}|[A-Za-z]{0,2})", text)
    if match is None:
        return None
    number, suffix = match.groups()
    if re.fullmatch(r"[eE][+-]?[0-9]+", suffix):
        return Fraction(number) * _power_of_ten(int(suffix[1:]))
    if suffix in _BINARY:
        return Fraction(number) * _BINARY[suffix]
    return Fraction(number) * _power_of_ten(_SUFFIXES[suffix]) if suffix in _SUFFIXES else None


def _power_of_ten(exponent: int) -> Fraction:
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def differences(before: Json, after: Json, at: FieldPath = ()) -> list[FieldPath]:
    """Return where two canonical trees differ: the deepest paths, in order of their text."""
    if isinstance(before, dict) and isinstance(after, dict):
        in_map = bool(at) and at[-1] in _MAPS
        names = sorted(before.keys() | after.keys())
        return [
            path
            for name in names
            for path in differences(before.get(name), after.get(name), (*at, MapKey(name) if in_map else name))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [path for index, (old, new) in pairs for path in differences(old, new, (*at, index))]
    return [] if before == after and isinstance(before, bool) == isinstance(after, bool) else [at]


def pod_requests(template: Body) -> tuple[int, int]:
    """Return what one pod of a template requests: thousandths of a core, bytes of memory.

    The scheduler's sum: the larger of all containers together and of each init container with the sidecars started
    before it. Requests that are absent default to the limits, as they do when a pod is created.
    """
    spec = template.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    return _effective(spec, "cpu", 1000), _effective(spec, "memory", 1)


def _effective(spec: Mapping[str, Json], resource: str, scale: int) -> int:
    sidecars, most = Fraction(0), Fraction(0)
    for container in _structs(spec.get("initContainers")):
        request = _request(container, resource)
        if container.get("restartPolicy") == "Always":
            sidecars += request
            most = max(most, sidecars)
        else:
            most = max(most, sidecars + request)
    running = sidecars + sum(_request(container, resource) for container in _structs(spec.get("containers")))
    overhead = spec.get("overhead")
    extra = quantity(overhead.get(resource)) if isinstance(overhead, dict) else None
    return int(-(-(max(most, running) + (extra or 0)) * scale // 1))


def _request(container: Mapping[str, Json], resource: str) -> Fraction:
    resources = container.get("resources")
    resources = resources if isinstance(resources, dict) else {}
    for name in ("requests", "limits"):
        amounts = resources.get(name)
        amount = quantity(amounts.get(resource)) if isinstance(amounts, dict) else None
        if amount is not None:
            return amount
    return Fraction(0)
