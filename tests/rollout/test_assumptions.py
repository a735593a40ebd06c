import pytest

from gitops_guard.rollout.assumptions import DEFAULT_TIMES, Assumptions, Interval, Scenario


def test_from_mapping_when_all_kinds_are_given_then_read():
    given = Assumptions.from_mapping(
        {
            "app_start": {"low": 1, "likely": 2, "high": 3},
            "image_pull": 4,
            "nodes": 7,
            "replicas": 3,
            "new_version_ready": False,
            "gates": {"MaxUnavailableStatefulSet": True},
            "images": {"nginx": {"app_start": 1}},
            "workloads": {"Deployment/shop/web": {"app_stop": 2}},
            "scalings": [{"after_s": 5, "replicas": 1}],
            "promotes_after": 60,
        }
    )
    assert given.times["app_start"] == Interval(1, 2, 3)
    assert given.times["scheduling"] == DEFAULT_TIMES["scheduling"]
    assert (given.nodes, given.replicas, given.new_version_ready, given.scalings) == (7, 3, False, ((5.0, 1),))
    assert given.knows("image_pull")
    assert not given.knows("scheduling")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param({"app_strat": 1}, "unknown assumption 'app_strat'; known are scheduling", id="misspelt"),
        pytest.param({"times": {}}, "unknown assumption 'times'", id="internal name"),
        pytest.param({"app_start": -1}, "app_start: must be a number of seconds", id="negative"),
        pytest.param({"app_start": True}, "app_start: must be a number of seconds", id="boolean"),
        pytest.param({"app_start": {"low": 1}}, "app_start: .* have low, likely and high", id="incomplete"),
        pytest.param({"app_start": {"low": 3, "likely": 2, "high": 1}}, "app_start: .* do not rise", id="falling"),
        pytest.param({"nodes": 1.5}, "nodes: must be a number", id="half a node"),
        pytest.param({"nodes": -1}, "nodes: must be a number", id="fewer than none"),
        pytest.param({"gates": []}, "gates: must be a map", id="no map"),
        pytest.param({"gates": {"A": 1}}, "gates.A: must be true or false", id="no flag"),
        pytest.param({"images": {"nginx": {"color": 1}}}, "images.nginx: unknown time 'color'", id="unknown time"),
        pytest.param({"scalings": [{"replicas": 1}]}, "scalings: must be a list of maps", id="incomplete scaling"),
        pytest.param({"scalings": 3}, "scalings: must be a list of maps", id="no list"),
    ],
)
def test_from_mapping_when_wrong_then_the_text_names_the_key(document, message):
    with pytest.raises(ValueError, match=message):
        Assumptions.from_mapping(document)


def test_seconds_when_image_is_measured_then_longest_prefix_wins():
    given = Assumptions.from_mapping({"images": {"host/": {"app_start": 1}, "host/shop/": {"app_start": 9}}})
    assert given.seconds("app_start", Scenario.LIKELY, "host/shop/web:1") == 9
    assert given.seconds("app_start", Scenario.LIKELY, "host/other:1") == 1
    assert given.seconds("app_start", Scenario.LIKELY, "elsewhere") == 5


def test_for_workload_when_measured_then_it_wins_over_the_image():
    given = Assumptions.from_mapping(
        {"images": {"app": {"app_start": 1, "image_pull": 2}}, "workloads": {"Deployment/shop/web": {"app_start": 7}}}
    )
    mine = given.for_workload("Deployment", "shop", "web")
    assert mine.seconds("app_start", Scenario.HIGH, "app:1") == 7
    assert mine.seconds("image_pull", Scenario.HIGH, "app:1") == 2
    assert given.for_workload("Deployment", "shop", "api") is given
