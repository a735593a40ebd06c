import pytest

from gitops_guard.rollout.versions import kubernetes_model, parse_version


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param("1.29", False, id="alpha"),
        pytest.param("1.34.9", False, id="alpha, last minor"),
        pytest.param("v1.35.0", True, id="on by default"),
        pytest.param("1.35.3", True, id="last patch with it on"),
        pytest.param("1.35.4", False, id="off again"),
        pytest.param("1.35", False, id="minor alone is its newest patch"),
        pytest.param("1.36.3", False, id="off"),
        pytest.param("1.37.0", True, id="on again"),
        pytest.param("v1.37.2+k3s1", True, id="a distribution's suffix"),
    ],
)
def test_model_when_version_is_given_then_gate_of_its_patch(version, expected):
    assert expected == kubernetes_model(version).statefulset_max_unavailable


def test_model_when_gate_is_set_then_it_wins():
    assert kubernetes_model("1.36", {"MaxUnavailableStatefulSet": True}).statefulset_max_unavailable
    assert not kubernetes_model("1.37", {"MaxUnavailableStatefulSet": False}).statefulset_max_unavailable


@pytest.mark.parametrize(("version", "expected"), [("1.33.6", False), ("1.34.0", True), ("1.36", True)])
def test_model_when_no_gate_then_updates_wait_for_availability_since_1_34(version, expected):
    assert expected == kubernetes_model(version).statefulset_waits_for_availability


@pytest.mark.parametrize("text", ["", "1", "latest", "1.x", "1.36.", "1.36.3.4", "-1.36", "1.99999"])
def test_parse_version_when_no_version_then_refused(text):
    with pytest.raises(ValueError, match="no version of Kubernetes"):
        parse_version(text)
