"""Which field a false or failing expression points at."""

import pytest

from gitops_guard.cel import Budget, LazyMap, compile_expression, profile

OBJECT = {
    "metadata": {"name": "web", "labels": {"team": "a"}},
    "spec": {
        "replicas": 9,
        "containers": [
            {"name": "a", "image": "good/a:1", "ports": [{"port": 8080}]},
            {"name": "b", "image": "bad/b:latest", "ports": [{"port": 8080}, {"port": 80}]},
        ],
        "initContainers": [{"name": "i", "image": "bad/i"}],
    },
}

BLAMED = [
    ("object.spec.replicas <= 5", ("object", "spec", "replicas")),
    ("5 >= object.spec.replicas", ("object", "spec", "replicas")),
    ("object.spec.paused == true", ("object", "spec", "paused")),
    ("has(object.spec.strategy)", ("object", "spec", "strategy")),
    ("!has(object.spec.replicas)", ("object", "spec", "replicas")),
    ("object.metadata.labels['team'] == 'b'", ("object", "metadata", "labels", "team")),
    ("'owner' in object.metadata.labels", ("object", "metadata", "labels")),
    ("object.metadata.name.startsWith('x')", ("object", "metadata", "name")),
    ("size(object.spec.containers) == 1", ("object", "spec", "containers")),
    ("object.spec.containers.size() == 1", ("object", "spec", "containers")),
    ("true && object.spec.replicas == 1 && false", ("object", "spec", "replicas")),
    ("!has(object.spec.replicas) || object.spec.replicas < 3", ("object", "spec", "replicas")),
    ("object.metadata.name == 'x' ? true : object.spec.replicas == 1", ("object", "spec", "replicas")),
    ("object.metadata.name == 'web' ? false : true", ("object", "metadata", "name")),
    (
        "object.spec.containers.all(c, c.image.startsWith('good/'))",
        ("object", "spec", "containers", 1, "image"),
    ),
    (
        "object.spec.containers.all(c, c.ports.all(p, p.port > 1024))",
        ("object", "spec", "containers", 1, "ports", 1, "port"),
    ),
    (
        "object.spec.containers.all(i, c, c.name == 'a')",
        ("object", "spec", "containers", 1, "name"),
    ),
    ("object.spec.containers.all(c, has(c.limits))", ("object", "spec", "containers", 0, "limits")),
    ("object.spec.containers.all(c, false)", ("object", "spec", "containers", 0)),
    ("object.spec.containers.exists(c, c.name == 'z')", ("object", "spec", "containers")),
    (
        "(object.spec.containers + object.spec.initContainers).all(c, c.image != 'bad/i')",
        ("object", "spec", "initContainers", 0, "image"),
    ),
    (
        "object.spec.containers.filter(c, c.name == 'b').all(c, c.image.startsWith('good/'))",
        ("object", "spec", "containers", 1, "image"),
    ),
    (
        "object.spec.?initContainers.orValue([]).all(c, c.image.startsWith('good/'))",
        ("object", "spec", "initContainers", 0, "image"),
    ),
    ("object.metadata.labels.all(k, k != 'team')", ("object", "metadata", "labels", "team")),
    ("object.metadata.labels.all(k, v, v != 'a')", ("object", "metadata", "labels", "team")),
    ("cel.bind(s, object.spec, s.replicas == 1)", ("object", "spec", "replicas")),
    ("variables.all(c, c.name == 'a')", ("variables", 1, "name")),
    ("1 == 2", ()),
    ("false", ()),
]


@pytest.mark.parametrize(("source", "path"), [pytest.param(*row, id=row[0]) for row in BLAMED])
def test_false_expression_when_blamed_then_names_the_field(source: str, path: tuple[str | int, ...]) -> None:
    program = compile_expression(source, environment=profile("guard"))
    assert path == program.blame({"object": OBJECT, "variables": OBJECT["spec"]["containers"]})  # type: ignore[index]


def test_variable_when_blamed_then_is_named_with_the_path_inside() -> None:
    variables = LazyMap({"containers": lambda: OBJECT["spec"]["containers"]})  # type: ignore[index]
    program = compile_expression("variables.containers.all(c, c.name == 'a')")
    assert program.blame({"variables": variables}) == ("variables", "containers", 1, "name")


def test_blame_when_it_would_take_too_long_then_names_nothing() -> None:
    program = compile_expression("object.all(a, object.all(b, object.all(c, a >= 0)) && a < 50)")
    assert program.blame({"object": list(range(100))}, Budget(10_000)) == ()
