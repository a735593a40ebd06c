import pytest

from gitops_guard.rollout.budget import Budget, quiescent_counts, resolve_fenceposts, rolling_budget, scaled


# kubernetes v1.36.3 pkg/controller/deployment/util/deployment_util_test.go: TestResolveFenceposts (absent values are 0)
@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        pytest.param("0%", "0%", 0, Budget(0, 1), id="both zero of nothing"),
        pytest.param("39%", "39%", 10, Budget(4, 3), id="surge up, unavailable down"),
        pytest.param(0, "39%", 10, Budget(0, 3), id="no surge"),
        pytest.param("39%", 0, 10, Budget(4, 0), id="no unavailability"),
        pytest.param(0, 0, 10, Budget(0, 1), id="both zero"),
        pytest.param("1%", "0%", 2, Budget(1, 0), id="surge rounds up to one"),
        pytest.param("0%", "1%", 2, Budget(0, 1), id="unavailability rounds down to none, then one"),
        pytest.param("150%", "25%", 4, Budget(6, 1), id="more surge than replicas"),
    ],
)
def test_resolve_fenceposts_when_rounded_then_as_upstream(surge, unavailable, replicas, expected):
    assert expected == resolve_fenceposts(surge, unavailable, replicas)


@pytest.mark.parametrize("value", ["oops", "urg", "", "%", "-1%", "1.5%", "25", "²%"])
def test_scaled_when_no_percentage_then_refused(value):
    with pytest.raises(ValueError, match="neither a number of pods nor a percentage"):
        scaled(value, 10, round_up=True)


# TestMaxUnavailable of the same file; its Recreate row is in test_deployment.py
@pytest.mark.parametrize(
    ("replicas", "unavailable", "expected"),
    [
        pytest.param(10, 5, 5, id="less than replicas"),
        pytest.param(10, 10, 10, id="equal to replicas"),
        pytest.param(5, 10, 5, id="greater than replicas"),
        pytest.param(0, 10, 0, id="no replicas"),
        pytest.param(10, "50%", 5, id="half"),
        pytest.param(10, "100%", 10, id="all of ten"),
        pytest.param(5, "100%", 5, id="all of five"),
    ],
)
def test_rolling_budget_when_unavailable_exceeds_replicas_then_clipped(replicas, unavailable, expected):
    assert expected == rolling_budget(1, unavailable, replicas).unavailable


@pytest.mark.parametrize(
    ("replicas", "budget", "expected"),
    [
        pytest.param(10, Budget(3, 2), [(8, 5), (7, 6), (6, 7), (5, 8), (4, 9), (3, 10)], id="defaults of ten"),
        pytest.param(3, Budget(1, 0), [(3, 1), (2, 2), (1, 3), (0, 3)], id="rigid three"),
        pytest.param(1, Budget(1, 0), [(1, 1), (0, 1)], id="one"),
    ],
)
def test_quiescent_counts_when_pods_become_available_one_by_one_then_as_illustrated(replicas, budget, expected):
    assert expected == [quiescent_counts(replicas, budget, available) for available in range(len(expected))]
