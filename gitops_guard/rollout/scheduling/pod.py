"""A pod as the scheduler reads it: what it requests, which ports and claims it needs, whom it avoids."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property

from gitops_guard.model import Body, Json
from gitops_guard.rollout.case import integer, struct, structs
from gitops_guard.rollout.template import quantity

Amounts = Mapping[str, int]
"""By resource, in thousandths."""

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class PodView:
    """What one pod, or all pods of a template, need; read once."""

    def __init__(self, namespace: str, labels: Mapping[str, Json], spec: Body, *, terminating: bool = False) -> None:
        """Take the parts.

        Args:
            namespace: Where the pod runs.
            labels: The pod's.
            spec: The pod's spec, defaults of a LimitRange filled in.
            terminating: Whether it is being deleted: it still holds its room.
        """
        self.namespace = namespace
        self.labels = labels
        self.spec = spec
        self.terminating = terminating

    @cached_property
    def requests(self) -> Amounts:
        """Return what the scheduler counts: k8s.io/component-helpers resource.PodRequests."""
        names = {name for one in self._containers() for name in self._amounts(one)}
        found = {name: self._total(name) for name in names}
        for name, value in struct(struct(self.spec.get("resources")).get("requests")).items():
            amount = _milli(value)  # pod-level resources win over the containers' sum
            if amount is not None:
                found[name] = amount
        for name, value in struct(self.spec.get("overhead")).items():
            found[name] = found.get(name, 0) + (_milli(value) or 0)
        return {name: amount for name, amount in found.items() if amount}

    def _containers(self) -> list[Mapping[str, Json]]:
        return [*structs(self.spec.get("initContainers")), *structs(self.spec.get("containers"))]

    @staticmethod
    def _amounts(container: Mapping[str, Json]) -> Mapping[str, Json]:
        resources = struct(container.get("resources"))
        return {**struct(resources.get("limits")), **struct(resources.get("requests"))}

    def _total(self, name: str) -> int:
        sidecars = most = 0
        for container in structs(self.spec.get("initContainers")):
            amount = _milli(self._amounts(container).get(name)) or 0
            if container.get("restartPolicy") == "Always":
                sidecars += amount
                most = max(most, sidecars)
            else:
                most = max(most, sidecars + amount)
        running = sum(_milli(self._amounts(one).get(name)) or 0 for one in structs(self.spec.get("containers")))
        return max(most, sidecars + running)

    @cached_property
    def host_ports(self) -> frozenset[tuple[str, str, int]]:
        """Return (address, protocol, port) on the node; under hostNetwork all declared ports are the node's."""
        host_network = self.spec.get("hostNetwork") is True
        return frozenset(_ports(self._containers(), host_network=host_network))

    @cached_property
    def claims(self) -> tuple[str, ...]:
        """Return the names of its PersistentVolumeClaims."""
        volumes = structs(self.spec.get("volumes"))
        names = [struct(volume.get("persistentVolumeClaim")).get("claimName") for volume in volumes]
        return tuple(sorted({name for name in names if isinstance(name, str)}))

    @cached_property
    def tolerations(self) -> list[Mapping[str, Json]]:
        """Return spec.tolerations."""
        return structs(self.spec.get("tolerations"))

    @cached_property
    def affinity(self) -> list[Mapping[str, Json]]:
        """Return the required pod affinity terms."""
        return self._terms("podAffinity")

    @cached_property
    def anti_affinity(self) -> list[Mapping[str, Json]]:
        """Return the required pod anti-affinity terms."""
        return self._terms("podAntiAffinity")

    def _terms(self, field: str) -> list[Mapping[str, Json]]:
        return structs(struct(struct(self.spec.get("affinity")).get(field)).get(REQUIRED))

    @cached_property
    def spread(self) -> list[Mapping[str, Json]]:
        """Return the topology spread constraints that forbid, not those that only prefer."""
        found = structs(self.spec.get("topologySpreadConstraints"))
        return [one for one in found if one.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"]


def _milli(value: Json) -> int | None:
    amount = quantity(value)
    return None if amount is None else int(-(-amount * Fraction(1000) // 1))


def milli(value: Json) -> int:
    """Return a quantity in thousandths, rounded up; 0 for what is none."""
    return _milli(value) or 0


def _ports(containers: list[Mapping[str, Json]], *, host_network: bool) -> Iterator[tuple[str, str, int]]:
    for port in (port for container in containers for port in structs(container.get("ports"))):
        number = integer(port.get("hostPort") or (port.get("containerPort") if host_network else None), 0)
        if number:
            yield str(port.get("hostIP") or "0.0.0.0"), str(port.get("protocol") or "TCP"), number  # noqa: S104  # no bind: the API's word for every address
