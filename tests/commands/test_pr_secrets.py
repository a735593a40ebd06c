"""Secrets in all shapes: no byte of a value is in anything that `pr` and `report` write, error texts included."""

import base64
import itertools

import pytest

SENTINELS = [f"S3cr3t-{number:03}-v4lue" for number in range(200)]


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def secret(name, body, kind="Secret", version="v1", extra=""):
    return f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: shop\n{extra}{body}"


def pod(name, body):
    return secret(name, "spec:\n  containers:\n    - name: a\n      image: web:1\n" + body, kind="Pod")


SHAPES = [
    lambda n, v: secret(n, f"data:\n  key: {encoded(v)}\n"),
    lambda n, v: secret(n, f"stringData:\n  key: {v}\n"),
    lambda n, v: secret(n, f"stringData: {{key: '{v}', other: same}}\n"),
    lambda n, v: secret(n, f"stringData:\n  key: |\n    line one of it\n    {v}\n    line three\n"),
    lambda n, v: secret(n, f"type: kubernetes.io/tls\ndata:\n  tls.crt: {encoded('x' + v)}\n  tls.key: {encoded(v)}\n"),
    lambda n, v: secret(n, f"type: kubernetes.io/dockerconfigjson\nstringData:\n  .dockerconfigjson: '{{\"auths\":{{\"r\":{{\"auth\":\"{v}\"}}}}}}'\n"),
    lambda n, v: secret(n, f"data:\n  key: {v}!!not-base64\n"),
    lambda n, v: secret(n, f"data: [{v}]\n"),
    lambda n, v: secret(n, f"data: {v}\n"),
    lambda n, v: secret(n, f"data:\n  key: {{deep: {v}}}\n"),
    lambda n, v: secret(n, f"stringData:\n  key: [{v}]\n"),
    lambda n, v: secret(n, f"stringData:\n  key: {v}\n  key: {v}x\n"),
    lambda n, v: secret(n, f"data:\n  key: {encoded(v)}\n", kind="secret"),
    lambda n, v: secret(n, f"data:\n  key: {encoded(v)}\n", extra=f"  annotations:\n    openshift.io/token-secret.value: {v}\n"),
    lambda n, v: secret(n, f"data:\n  key: {encoded(v)}\n", extra=f"  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{{\"data\":{{\"key\":\"{encoded(v)}\"}}}}'\n"),
    lambda n, v: secret(n, f"stringData:\n  key: {v}\nimmutable: true\n"),
    lambda n, v: pod(n, f"      env:\n        - {{name: DB_PASSWORD, value: {v}}}\n"),
    lambda n, v: pod(n, f"      args: ['--token={v}']\n"),
    lambda n, v: secret(n, f"data:\n  app.yaml: |\n    password: {v}\n", kind="ConfigMap"),
    lambda n, v: secret(n, f"data:\n  api_token: {v}\n", kind="ConfigMap"),
]  # fmt: skip
"""Each makes one manifest of a name and a value."""


def parts(value):
    """Return what must be nowhere: the value, and its base64 at each of the three places that it can start."""
    raw = value.encode()
    return [value, *(base64.b64encode(b"x" * shift + raw)[4 if shift else 0 : -4].decode() for shift in range(3))]


@pytest.mark.thorough
@pytest.mark.parametrize("way", ["created", "changed", "deleted"])
def test_secrets_when_in_any_shape_then_no_byte_of_them_is_written(repo, way):
    made = list(zip(SENTINELS, itertools.cycle(SHAPES), strict=False))
    new = {f"apps/s{number}.yaml": shape(f"s{number}", value) for number, (value, shape) in enumerate(made)}
    assert all(any(part in text for part in parts(value)) for (value, _), text in zip(made, new.values(), strict=True))
    old = {path: text.replace("S3cr3t-", "0ld-S3cr3t-") for path, text in new.items()}
    sandbox = repo({"README.md": "x", **({} if way == "created" else old)}).commit()
    sandbox.git("branch", "-M", "main")
    sandbox.git("checkout", "--quiet", "-b", "feature")
    if way == "deleted":
        sandbox.remove(*old)
    sandbox.commit({} if way == "deleted" else new)
    (sandbox.root / "out").mkdir()
    first = sandbox.run("pr", "--from", "main", "--number", "7", "--plan", "out/plan.json",
                        "--markdown", "out/a.md", "--html", "out/a.html", "--sarif", "out/a.sarif", "--code-quality", "out/a.json")  # fmt: skip
    second = sandbox.run("report", "out/plan.json", "--post", "local:out/local", "--summary", "out/summary.md")
    written = [path.read_text() for path in (sandbox.root / "out").rglob("*") if path.is_file()]
    text = "\n".join([*written, first.out, first.err, second.out, second.err])
    assert len(written) >= 8
    assert [] == [value for value, _ in made if any(part in text for part in parts(value))]
    told = sum(f"shop/s{number}" in text for number in range(200))
    assert told > 150  # that something about them changes is said all the same
