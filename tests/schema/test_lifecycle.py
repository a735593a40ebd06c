import pytest

from gitops_guard.errors import SchemaError
from gitops_guard.schema.builtin import BuiltinSchemas, versions
from gitops_guard.schema.lifecycle import Lifecycle, Standing, known_group, lifecycle, nearest_kinds, standing


@pytest.mark.parametrize(
    ("identity", "deprecated", "removed", "replacement"),
    [
        pytest.param(("extensions", "v1beta1", "Deployment"), 8, 16, ("apps", "v1", "Deployment"), id="before 1.25"),
        pytest.param(
            ("extensions", "v1beta1", "Ingress"),
            14,
            22,
            ("networking.k8s.io", "v1", "Ingress"),
            id="ingress of extensions",
        ),
        pytest.param(
            ("networking.k8s.io", "v1beta1", "IngressClass"),
            19,
            22,
            ("networking.k8s.io", "v1", "IngressClass"),
            id="upstream names the list",
        ),
        pytest.param(("apps", "v1beta2", "StatefulSet"), 9, 16, ("apps", "v1", "StatefulSet"), id="apps/v1beta2"),
        pytest.param(("policy", "v1beta1", "PodSecurityPolicy"), 21, 25, None, id="no replacement"),
        pytest.param(
            ("policy", "v1beta1", "PodDisruptionBudget"), 21, 25, ("policy", "v1", "PodDisruptionBudget"), id="PDB"
        ),
        pytest.param(("batch", "v1beta1", "CronJob"), 21, 25, ("batch", "v1", "CronJob"), id="CronJob"),
        pytest.param(
            ("autoscaling", "v2beta2", "HorizontalPodAutoscaler"),
            23,
            26,
            ("autoscaling", "v2", "HorizontalPodAutoscaler"),
            id="HPA",
        ),
        pytest.param(
            ("flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema"),
            29,
            32,
            ("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema"),
            id="FlowSchema",
        ),
        pytest.param(
            ("apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition"),
            16,
            22,
            ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
            id="CRD",
        ),
        pytest.param(
            ("", "v1", "Endpoints"), 33, None, ("discovery.k8s.io", "v1", "EndpointSlice"), id="deprecated, not removed"
        ),
        pytest.param(("apps", "v1", "Deployment"), None, None, None, id="stable"),
    ],
)
def test_lifecycle_of_a_kind(
    identity: tuple[str, str, str], deprecated: int | None, removed: int | None, replacement: object
) -> None:
    found = lifecycle(*identity)
    assert found is not None
    assert (deprecated, removed, replacement) == (found.deprecated, found.removed, found.replacement)


def test_lifecycle_of_a_kind_that_came_late_says_when() -> None:
    found = lifecycle("networking.k8s.io", "v1", "ServiceCIDR")
    assert Lifecycle(introduced=33, deprecated=None, removed=None, replacement=None) == found


@pytest.mark.parametrize(
    "identity",
    [("apps", "v2", "Deployment"), ("apps", "v1", "Deploymnet"), ("example.com", "v1", "Widget"), ("", "", "")],
)
def test_lifecycle_of_what_never_was_is_none(identity: tuple[str, str, str]) -> None:
    assert lifecycle(*identity) is None


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("", True),
        ("apps", True),
        ("extensions", True),
        ("settings.k8s.io", True),
        ("example.com", False),
        ("gateway.networking.k8s.io", False),
        ("apps.example.com", False),
    ],
)
def test_known_group_is_true_for_kubernetes_own(group: str, expected: bool) -> None:
    assert expected is known_group(group)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        pytest.param(("apps", "v2", "Deployment"), ("apps", "v1", "Deployment"), id="wrong version"),
        pytest.param(("", "v1", "Deployment"), ("apps", "v1", "Deployment"), id="wrong group"),
        pytest.param(("apps", "v1", "Deploymnet"), ("apps", "v1", "Deployment"), id="misspelt"),
        pytest.param(("", "v1", "pod"), ("", "v1", "Pod"), id="wrong case"),
        pytest.param(("batch", "v1", "CronJobs"), ("batch", "v1", "CronJob"), id="plural"),
    ],
)
def test_nearest_kinds_names_what_was_meant(identity: tuple[str, str, str], expected: tuple[str, str, str]) -> None:
    assert expected == nearest_kinds(*identity)[0]


def test_nearest_kinds_of_nothing_near_is_empty() -> None:
    assert () == nearest_kinds("apps", "v1", "Zzzzzz")


@pytest.mark.parametrize(
    ("identity", "kubernetes", "expected"),
    [
        pytest.param(("apps", "v1", "Deployment"), "1.37", Standing.SERVED, id="served"),
        pytest.param(("", "v1", "Endpoints"), "1.32", Standing.SERVED, id="before its deprecation"),
        pytest.param(("", "v1", "Endpoints"), "1.33", Standing.DEPRECATED, id="deprecated"),
        pytest.param(
            ("autoscaling", "v2beta2", "HorizontalPodAutoscaler"),
            "1.25",
            Standing.DEPRECATED,
            id="last version that serves it",
        ),
        pytest.param(
            ("autoscaling", "v2beta2", "HorizontalPodAutoscaler"),
            "1.26",
            Standing.REMOVED,
            id="first version that does not",
        ),
        pytest.param(("extensions", "v1beta1", "Ingress"), "1.37", Standing.REMOVED, id="long gone"),
        pytest.param(
            ("settings.k8s.io", "v1alpha1", "PodPreset"), "1.37", Standing.REMOVED, id="gone before the modules"
        ),
        pytest.param(("networking.k8s.io", "v1", "ServiceCIDR"), "1.30", Standing.NOT_YET, id="came later"),
        pytest.param(("apps", "v2", "Deployment"), "1.37", Standing.UNKNOWN, id="no such version"),
        pytest.param(("apps", "v1", "Deploymnet"), "1.37", Standing.UNKNOWN, id="misspelt"),
        pytest.param(("autoscaling", "v1", "Scale"), "1.37", Standing.UNKNOWN, id="a subresource"),
        pytest.param(("", "v1", "Status"), "1.37", Standing.UNKNOWN, id="an answer"),
        pytest.param(("", "v1", "../../x"), "1.37", Standing.UNKNOWN, id="hostile"),
        pytest.param(("example.com", "v1", "Widget"), "1.37", Standing.FOREIGN, id="custom resource"),
        pytest.param(("batch.volcano.sh", "v1", "Job"), "1.37", Standing.FOREIGN, id="starts like a built-in group"),
    ],
)
def test_standing_of_a_kind_in_a_version(identity: tuple[str, str, str], kubernetes: str, expected: Standing) -> None:
    assert expected is standing(*identity, kubernetes=kubernetes)


@pytest.mark.parametrize("kubernetes", versions())
def test_standing_is_served_or_deprecated_exactly_when_there_is_a_schema(
    kubernetes: str, cache_dir: tuple[str, bytes]
) -> None:
    schemas = BuiltinSchemas(kubernetes, cache_dir)
    for identity in [
        ("", "v1", "Pod"),
        ("", "v1", "Endpoints"),
        ("batch", "v1beta1", "CronJob"),
        ("flowcontrol.apiserver.k8s.io", "v1beta3", "FlowSchema"),
        ("policy", "v1", "Eviction"),
    ]:
        served = standing(*identity, kubernetes=kubernetes) in (Standing.SERVED, Standing.DEPRECATED)
        assert served is (schemas.find(*identity) is not None)


@pytest.mark.parametrize("kubernetes", ["1.12", "latest", ""])
def test_standing_in_an_unknown_version_raises(kubernetes: str) -> None:
    with pytest.raises(SchemaError):
        standing("apps", "v1", "Deployment", kubernetes=kubernetes)
