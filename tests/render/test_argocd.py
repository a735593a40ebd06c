"""Argo CD: which units Applications and ApplicationSets make, and what they are rendered to; by the real kubectl."""

import pytest
import yaml

from gitops_guard.config.model import Cluster
from gitops_guard.model.unit import UnitKind

URL = "https://git.example.com/shop/gitops.git"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'registry.example.com:5000/web:1.0'}]}
"""


def application(name: str = "web", **spec: object) -> str:
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"destination": {"namespace": "shop", "server": "https://kubernetes.default.svc"}, **spec},
    }
    return yaml.safe_dump(body)


def source(path: str, **more: object) -> dict:
    return {"repoURL": URL, "path": path, **more}


def bodies(unit) -> dict:
    return {one.resource.id.name: one.resource.body for one in unit.objects}


WEB = {"web/kustomization.yaml": "resources: [web.yaml]\n", "web/web.yaml": DEPLOYMENT}


def test_render_when_kustomize_options_are_in_line_then_they_act_as_kustomize_edit(rendered, named):
    options = {
        "namePrefix": "p-",
        "nameSuffix": "-s",
        "namespace": "front",
        "images": ["registry.example.com:5000/web=registry.example.com/new/web:2.0"],
        "replicas": [{"name": "web", "count": 4}],
        "commonLabels": {"team": "web"},
        "commonAnnotations": {"owner": "ada"},
        "patches": [{"target": {"kind": "Deployment"}, "patch": "- {op: add, path: /spec/paused, value: true}"}],
    }
    files = {**WEB, "argo/web.yaml": application(source=source("web", kustomize=options))}
    unit = named(rendered(files), "argocd/web")
    assert () == unit.errors
    web = bodies(unit)["p-web-s"]
    assert ("front", {"team": "web"}, {"owner": "ada"}) == (
        web["metadata"]["namespace"],
        web["metadata"]["labels"],
        web["metadata"]["annotations"],
    )
    assert {"app": "web", "team": "web"} == web["spec"]["selector"]["matchLabels"]
    assert (4, True) == (web["spec"]["replicas"], web["spec"]["paused"])
    assert "registry.example.com/new/web:2.0" == web["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("registry.example.com:5000/web:2.0", "registry.example.com:5000/web:2.0", id="tag"),
        pytest.param(
            "registry.example.com:5000/web@sha256:" + "a" * 64,
            f"registry.example.com:5000/web@sha256:{'a' * 64}",
            id="digest",
        ),
        pytest.param("registry.example.com:5000/web=other", "other:1.0", id="name-only"),
        pytest.param("registry.example.com:5000/web=*:3", "registry.example.com:5000/web:3", id="star"),
    ],
)
def test_render_when_an_image_is_set_then_its_parts_are_read(rendered, named, written, expected):
    files = {**WEB, "argo/web.yaml": application(source=source("web", kustomize={"images": [written]}))}
    web = bodies(named(rendered(files), "argocd/web"))["web"]
    assert expected == web["spec"]["template"]["spec"]["containers"][0]["image"]


def test_render_when_a_directory_is_plain_then_its_options_choose_the_files(rendered, named):
    files = {
        "plain/a.yaml": CONFIG_MAP.replace("web", "a"),
        "plain/b.yaml": CONFIG_MAP.replace("web", "b") + "---\n" + CONFIG_MAP.replace("web", "b2"),
        "plain/deep/c.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
        "plain/deep/values.yaml": "replicas: 1\n",
        "argo/flat.yaml": application("flat", source=source("plain")),
        "argo/deep.yaml": application(
            "deep", source=source("plain", directory={"recurse": True, "exclude": "{a,x}.yaml"})
        ),
    }
    rendering = rendered(files)
    flat, deep = named(rendering, "argocd/flat"), named(rendering, "argocd/deep")
    assert ["a", "b", "b2"] == sorted(bodies(flat))
    assert ["b", "b2", "c"] == sorted(bodies(deep))
    assert ("plain/b.yaml", 6) == (deep.objects[1].resource.origin.path, deep.objects[1].resource.origin.line)
    assert CONFIG_MAP.replace("web", "b2") == deep.objects[1].text


def test_render_when_several_sources_give_one_object_then_the_last_counts(rendered, named):
    files = {
        "one/a.yaml": CONFIG_MAP + "data: {from: one}\n",
        "two/a.yaml": CONFIG_MAP + "data: {from: two}\n",
        "argo/web.yaml": application(sources=[source("one"), source("two"), {"repoURL": URL, "ref": "values"}]),
    }
    unit = named(rendered(files), "argocd/web")
    assert ({"from": "two"}, 1) == (bodies(unit)["web"]["data"], len(unit.objects))


def test_units_when_an_app_of_apps_deploys_applications_then_each_is_a_unit(rendered):
    files = {
        **WEB,
        "clusters/live/root.yaml": application("root", source=source("apps")),
        "apps/kustomization.yaml": "resources: [child.yaml]\nnamePrefix: x-\n",
        "apps/child.yaml": application("child", source=source("web")),
    }
    found = {unit.unit.name: (unit.unit.path, unit.unit.clusters) for unit in rendered(files).units}
    assert {
        "argocd/root": ("apps", ("live",)),
        "argocd/x-child": ("web", ("live",)),
        "clusters/live": ("clusters/live", ("live",)),
    } == found


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        pytest.param({"name": "blue"}, ("blue",), id="name"),
        pytest.param({"server": "https://blue.example.com"}, ("blue",), id="configured-server"),
        pytest.param({"server": "https://red.example.com"}, ("https://red.example.com",), id="other-server"),
        pytest.param({"server": "https://kubernetes.default.svc"}, ("in-cluster",), id="in-cluster"),
        pytest.param({"name": "in-cluster"}, ("in-cluster",), id="in-cluster-by-name"),
    ],
)
def test_units_when_a_destination_is_given_then_the_cluster_is_known(rendered, named, destination, expected):
    files = {**WEB, "argo/web.yaml": application(source=source("web"), destination=destination)}
    clusters = {"blue": Cluster(server="https://blue.example.com")}
    assert expected == named(rendered(files, clusters=clusters), "argocd/web").unit.clusters


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param({"source": source("web", plugin={"name": "x"})}, "plugins are programs", id="plugin"),
        pytest.param({"source": source("nowhere")}, "path nowhere is no directory", id="no-path"),
        pytest.param(
            {"source": {"repoURL": "https://other.example.com/x", "path": "web"}}, "another repository", id="foreign"
        ),
        pytest.param({"source": source("../etc")}, "path ../etc is no directory", id="outside"),
        pytest.param({"source": {}}, "no source", id="none"),
        pytest.param({"source": source("jsonnet")}, "Jsonnet", id="jsonnet"),
        pytest.param(
            {"source": source("chart", helm={"valueFiles": ["../../x.yaml"]})}, "leaves the repo", id="values-outside"
        ),
        pytest.param(
            {"source": source("chart", helm={"valueFiles": ["https://a/x.yaml"]})}, "is remote", id="values-remote"
        ),
        pytest.param(
            {"source": {"repoURL": "https://charts.example.com", "chart": "x", "targetRevision": "1"}},
            "helm is not on PATH",
            id="no-helm",
        ),
    ],
)
def test_render_when_an_application_cannot_be_rendered_then_it_says_why(rendered, named, spec, message):
    files = {
        **WEB,
        "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "jsonnet/a.jsonnet": "{}",
        "argo/own.yaml": application("own", source=source("web")),
        "argo/own2.yaml": application("own2", source=source("web")),
        "argo/web.yaml": application(**spec),
    }
    unit = named(rendered(files), "argocd/web")
    assert () == unit.objects
    assert ("argo/web.yaml", 1) == (unit.errors[0].path, unit.errors[0].line)
    assert message in unit.errors[0].message


# ApplicationSet -------------------------------------------------------------------------------------------------------


def application_set(generators: list, *, go: bool = False, name: str, path: str, cluster: str = "", **spec) -> str:
    template = {
        "metadata": {"name": name},
        "spec": {"source": source(path), "destination": {"name": cluster or "blue", "namespace": "shop"}},
    }
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "all", "namespace": "argocd"},
        "spec": {"goTemplate": go, "generators": generators, "template": template, **spec},
    }
    return yaml.safe_dump(body)


APPS = {
    "apps/web/web.yaml": CONFIG_MAP,
    "apps/api/api.yaml": CONFIG_MAP,
    "apps/_old/web.yaml": CONFIG_MAP,
    "envs/blue/config.yaml": "cluster: {name: blue}\nsize: 3\n",
    "envs/red/config.yaml": "cluster: {name: red}\nsize: 1\n",
}
CLUSTERS = {
    "blue": Cluster(server="https://blue.example.com", labels={"env": "staging"}),
    "red": Cluster(server="https://red.example.com", labels={"env": "production"}),
}
DIRECTORIES = {"git": {"repoURL": URL, "directories": [{"path": "apps/*"}, {"path": "apps/_old", "exclude": True}]}}
FILES = {"git": {"repoURL": URL, "files": [{"path": "envs/**/config.yaml"}]}}
STAGING = {"clusters": {"selector": {"matchLabels": {"env": "staging"}}, "values": {"short": "{{name}}-x"}}}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param(
            application_set(
                [{"list": {"elements": [{"app": "web", "n": 1}, {"app": "api"}]}}],
                name="{{app}}",
                path="apps/{{ app }}",
            ),
            {"argocd/web": ("apps/web", "blue"), "argocd/api": ("apps/api", "blue")},
            id="list",
        ),
        pytest.param(
            application_set([DIRECTORIES], name="{{path.basename}}-{{path[0]}}", path="{{path}}"),
            {"argocd/web-apps": ("apps/web", "blue"), "argocd/api-apps": ("apps/api", "blue")},
            id="git-directories",
        ),
        pytest.param(
            application_set(
                [DIRECTORIES], go=True, name="{{ .path.basename }}-{{index .path.segments 0}}", path="{{.path.path}}"
            ),
            {"argocd/web-apps": ("apps/web", "blue"), "argocd/api-apps": ("apps/api", "blue")},
            id="git-directories-go-template",
        ),
        pytest.param(
            application_set(
                [FILES], name="web-{{path.basename}}-{{size}}", path="apps/web", cluster="{{cluster.name}}"
            ),
            {"argocd/web-blue-3": ("apps/web", "blue"), "argocd/web-red-1": ("apps/web", "red")},
            id="git-files",
        ),
        pytest.param(
            application_set([STAGING], name="web-{{values.short}}", path="apps/web", cluster="{{name}}"),
            {"argocd/web-blue-x": ("apps/web", "blue")},
            id="clusters",
        ),
        pytest.param(
            application_set(
                [{"matrix": {"generators": [{"clusters": {}}, DIRECTORIES]}}],
                name="{{name}}-{{path.basename}}",
                path="{{path}}",
                cluster="{{name}}",
            ),
            {
                "argocd/blue-web": ("apps/web", "blue"),
                "argocd/blue-api": ("apps/api", "blue"),
                "argocd/red-web": ("apps/web", "red"),
                "argocd/red-api": ("apps/api", "red"),
            },
            id="matrix",
        ),
        pytest.param(
            application_set(
                [
                    {
                        "matrix": {
                            "generators": [
                                {"list": {"elements": [{"env": "red"}]}},
                                {"git": {"repoURL": URL, "files": [{"path": "envs/{{.env}}/config.yaml"}]}},
                            ]
                        }
                    }
                ],
                go=True,
                name="{{.cluster.name}}-{{.env}}",
                path="apps/web",
            ),
            {"argocd/red-red": ("apps/web", "blue")},
            id="matrix-second-uses-first",
        ),
        pytest.param(
            application_set(
                [{"list": {"elements": [{"a": "web"}, {"a": "api"}]}, "selector": {"matchLabels": {"a": "api"}}}],
                name="{{a}}",
                path="apps/{{a}}",
            ),
            {"argocd/api": ("apps/api", "blue")},
            id="selector",
        ),
    ],
)
def test_units_when_an_application_set_generates_then_each_application_is_one(rendered, manifest, expected):
    rendering = rendered({**APPS, "argo/all.yaml": manifest}, clusters=CLUSTERS)
    found = {
        unit.unit.name: (unit.unit.path, *unit.unit.clusters)
        for unit in rendering.units
        if unit.unit.kind is UnitKind.APPLICATION
    }
    assert expected == found
    assert [] == [error for unit in rendering.units for error in unit.errors]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        pytest.param(
            application_set([{"pullRequest": {}}], name="x", path="y"), "pullRequest is not supported", id="other"
        ),
        pytest.param(application_set([{"merge": {}}], name="x", path="y"), "merge is not supported", id="merge"),
        pytest.param(application_set([{}], name="x", path="y"), "(none) is not supported", id="empty"),
        pytest.param(
            application_set([DIRECTORIES], go=True, name='{{ env "HOME" }}', path="y"), "Go template", id="go-function"
        ),
        pytest.param(
            application_set([DIRECTORIES], go=True, name="{{.nope}}", path="y"), "names nothing", id="go-missing"
        ),
        pytest.param(
            application_set([DIRECTORIES], name="x", path="y", templatePatch="a"), "templatePatch", id="patch"
        ),
        pytest.param(
            application_set([{"matrix": {"generators": []}}], name="x", path="y"), "exactly two", id="matrix-of-none"
        ),
    ],
)
def test_units_when_an_application_set_is_not_supported_then_it_is_an_error(rendered, named, manifest, message):
    unit = named(rendered({**APPS, "argo/all.yaml": manifest}, clusters=CLUSTERS), "argocd/all")
    assert UnitKind.APPLICATION_SET is unit.unit.kind
    assert ("argo/all.yaml", 1) == (unit.errors[0].path, unit.errors[0].line)
    assert message in unit.errors[0].message
