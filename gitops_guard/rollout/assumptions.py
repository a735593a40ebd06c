"""What the manifests do not say: how long things take, how many nodes there are. Each has a name and a default."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from types import MappingProxyType

from gitops_guard.model import Json


class Scenario(IntEnum):
    """Which end of every interval a run takes."""

    LOW = 0
    LIKELY = 1
    HIGH = 2


@dataclass(frozen=True, slots=True)
class Interval:
    """Seconds that are not known exactly; each at least the one before."""

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.likely <= self.high:
            raise ValueError(f"{self.low}, {self.likely}, {self.high} do not rise from 0")

    def at(self, scenario: Scenario) -> float:
        """Return one of the three."""
        return (self.low, self.likely, self.high)[scenario]

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:g} s"
        return f"{self.low:g} s to {self.high:g} s, likely {self.likely:g} s"


DEFAULT_TIMES: Mapping[str, Interval] = MappingProxyType(
    {
        # Creation of a pod to its node.
        "scheduling": Interval(0.05, 0.2, 2),
        # One image; 0 where the node has it.
        "image_pull": Interval(0, 5, 60),
        # Create and start one container whose image is there.
        "container_start": Interval(0.2, 1, 3),
        # Run of one init container to its end.
        "init_container": Interval(0.5, 3, 30),
        # Container start to the moment from which its probes succeed.
        "app_start": Interval(1, 5, 30),
        # SIGTERM to the end of the process; never longer than the grace period.
        "app_stop": Interval(0.1, 2, 30),
        # Until a known controller (a load balancer's) sets its condition.
        "readiness_gate": Interval(1, 15, 60),
        # One analysis or experiment of a canary or blue-green.
        "analysis": Interval(30, 120, 900),
        # A kubelet's observation to the controllers' caches.
        "status_latency": Interval(0, 0.3, 1),
    }
)
"""The times that a prediction supposes, by name."""

TIMES = tuple(DEFAULT_TIMES)
_BY_IMAGE = frozenset({"image_pull", "container_start", "init_container", "app_start", "app_stop"})
"""Times that may differ by image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Everything a prediction supposes."""

    times: Mapping[str, Interval] = field(default_factory=lambda: DEFAULT_TIMES)
    """By name, all of `TIMES`."""

    nodes: int = 3
    """Nodes that want a pod of a DaemonSet."""

    replicas: int | None = None
    """Replicas where the manifest leaves them to an autoscaler; None: the API's default of 1."""

    quota_pods: int | None = None
    """The most pods of the workload that may exist, terminating ones included; None for no limit."""

    new_version_ready: bool = True
    """False asks what happens if the new version never becomes ready."""

    unknown_gates_met: bool = False
    """Whether readiness gates that no known controller serves are set by somebody."""

    scalings: tuple[tuple[float, int], ...] = ()
    """(seconds after the merge, replicas): what an autoscaler or a person does meanwhile."""

    promotes_after: Interval | None = None
    """Seconds until a person promotes a paused canary or blue-green; None: nobody does."""

    analysis_succeeds: bool = True
    """Whether analyses, metrics and webhooks let the new version pass."""

    gates: Mapping[str, bool] = field(default_factory=dict)
    """Feature gates of the cluster that differ from their defaults."""

    images: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    """Measured times by image, the longest matching prefix of its name wins: `registry.example/shop/`."""

    workloads: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    """Measured times by workload: `Deployment/shop/web`. They win over those by image."""

    given: frozenset[str] = frozenset()
    """Names that were given rather than left at their defaults."""

    def seconds(self, name: str, scenario: Scenario, image: str = "") -> float:
        """Return one of `TIMES`, for an image where that makes a difference."""
        return self._interval(name, image).at(scenario)

    def _interval(self, name: str, image: str) -> Interval:
        prefixes = [prefix for prefix, times in self.images.items() if image.startswith(prefix) and name in times]
        if image and name in _BY_IMAGE and prefixes:
            return self.images[max(prefixes, key=len)][name]
        return self.times[name]

    def knows(self, name: str, image: str = "") -> bool:
        """Return whether one of `TIMES` was given or measured rather than supposed."""
        return name in self.given or any(
            image.startswith(prefix) and name in self.images[prefix] for prefix in self.images
        )

    def for_workload(self, kind: str, namespace: str, name: str) -> "Assumptions":
        """Return them with what was measured for one workload in the place of the general ones."""
        measured = self.workloads.get(f"{kind}/{namespace}/{name}") or self.workloads.get(f"{kind}/{name}")
        if not measured:
            return self
        images = {
            prefix: {time: value for time, value in times.items() if time not in measured}
            for prefix, times in self.images.items()
        }
        return replace(self, images=images, given=self.given | measured.keys(), times={**self.times, **measured})

    def fixed(self, name: str, scenario: Scenario) -> "Assumptions":
        """Return them with one of `TIMES` known exactly, everywhere: what a prediction owes to it."""

        def point(interval: Interval) -> Interval:
            return Interval(*[interval.at(scenario)] * 3)

        images = {
            prefix: {time: point(value) if time == name else value for time, value in times.items()}
            for prefix, times in self.images.items()
        }
        return replace(self, images=images, times={**self.times, name: point(self.times[name])})

    @classmethod
    def from_mapping(cls, document: Mapping[str, Json]) -> "Assumptions":
        """Read assumptions from a parsed file.

        Times are a number of seconds, or a map of low, likely and high. Unknown keys are refused.

        Raises:
            ValueError: A key is unknown or its value is not of its kind; the text names the key.
        """
        times = {key: _interval(key, value) for key, value in document.items() if key in DEFAULT_TIMES}
        values = {key: _read(key, value) for key, value in document.items() if key not in times}
        given = frozenset(document)
        return cls(times={**DEFAULT_TIMES, **times}, given=given, **values)  # type: ignore[arg-type]  # _read checks each


_KEYS = (*TIMES, *(item.name for item in fields(Assumptions) if item.name not in ("times", "given")))


def _read(key: str, value: Json) -> object:
    if key == "promotes_after":
        return _interval(key, value)
    if key in ("nodes", "replicas", "quota_pods"):
        return _number(key, value)
    if key in ("new_version_ready", "unknown_gates_met", "analysis_succeeds"):
        return _flag(key, value)
    if key == "gates":
        return {name: _flag(f"{key}.{name}", flag) for name, flag in _mapping(key, value).items()}
    if key in ("images", "workloads"):
        return {name: _times(f"{key}.{name}", times) for name, times in _mapping(key, value).items()}
    if key == "scalings":
        return _scalings(key, value)
    raise ValueError(f"unknown assumption {key!r}; known are {', '.join(_KEYS)}")


def _mapping(key: str, value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"{key}: must be a map")
    return value


def _flag(key: str, value: Json) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{key}: must be true or false")
    return value


def _number(key: str, value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
        raise ValueError(f"{key}: must be a number from 0 to 1000000")
    return value


def _seconds(key: str, value: Json) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 10_000_000:
        raise ValueError(f"{key}: must be a number of seconds, not negative")
    return float(value)


def _interval(key: str, value: Json) -> Interval:
    if not isinstance(value, dict):
        return Interval(*[_seconds(key, value)] * 3)
    if set(value) != {"low", "likely", "high"}:
        raise ValueError(f"{key}: must be a number of seconds, or have low, likely and high")
    try:
        return Interval(*(_seconds(f"{key}.{name}", value[name]) for name in ("low", "likely", "high")))
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def _times(key: str, value: Json) -> Mapping[str, Interval]:
    times = _mapping(key, value)
    if unknown := sorted(set(times) - set(TIMES)):
        raise ValueError(f"{key}: unknown time {unknown[0]!r}; known are {', '.join(TIMES)}")
    return {name: _interval(f"{key}.{name}", item) for name, item in times.items()}


def _scalings(key: str, value: Json) -> tuple[tuple[float, int], ...]:
    items = value if isinstance(value, list) else [None]
    rows = [item if isinstance(item, dict) else {} for item in items]
    if any(set(row) != {"after_s", "replicas"} for row in rows):
        raise ValueError(f"{key}: must be a list of maps with after_s and replicas")
    return tuple(
        (_seconds(f"{key}.after_s", row["after_s"]), _number(f"{key}.replicas", row["replicas"])) for row in rows
    )
