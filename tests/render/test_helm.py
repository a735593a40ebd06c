"""Helm: the output is the real helm's own, hooks are labelled, and nothing in a repository becomes a flag."""

import subprocess
from pathlib import Path

import pytest
import yaml

from gitops_guard.config.model import Cluster
from gitops_guard.render import Options, Tools, render
from gitops_guard.render.tools import find_tools

SHOP = Path(__file__).parents[2] / "examples" / "shop"
URL = "https://git.example.com/shop/gitops.git"
CHART = {"chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "chart/values.yaml": "size: 1\nname: web\n"}
TEMPLATE = """# The map
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Values.name | quote }}
  namespace: {{ .Release.Namespace }}
data:
  release: {{ .Release.Name | quote }}
  size: {{ .Values.size | quote }}
  kube: {{ .Capabilities.KubeVersion.Version | quote }}
  monitoring: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" | quote }}
"""


@pytest.fixture
def with_helm(helm: Path) -> Options:
    return Options(environment={"PATH": str(helm.parent)}, kubernetes_version="1.36")


def objects(unit) -> dict:
    return {one.resource.id.name: one.resource.body for one in unit.objects}


def application(**helm: object) -> str:
    source = {"repoURL": URL, "path": "chart", "helm": helm}
    return yaml.safe_dump(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "app", "namespace": "argocd"},
            "spec": {"source": source, "destination": {"name": "blue", "namespace": "shop"}},
        }
    )


@pytest.mark.parametrize("values", ["values-staging.yaml", "values-production.yaml"])
def test_render_when_the_shops_chart_is_rendered_then_it_is_byte_equal_to_helm(shop, with_helm, helm, values):
    command = [helm, "template", "catalog", SHOP / "charts" / "catalog", "--namespace", "shop", "--include-crds"]
    asked = subprocess.run(
        [*command, "--kube-version", "1.36.0", "--values", SHOP / "charts" / "catalog" / values],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    cluster = values.removeprefix("values-").removesuffix(".yaml")
    rendering = render(shop, with_helm, lambda unit: unit.path == "charts/catalog")
    (unit,) = [unit for unit in rendering.units if unit.unit.clusters == (cluster,)]
    assert asked.stdout == "".join(f"---\n{one.text}" for one in unit.objects)


def test_render_when_a_chart_stands_alone_then_each_values_file_beside_it_is_a_unit(rendered, with_helm):
    files = {
        **CHART,
        "chart/templates/map.yaml": TEMPLATE,
        "chart/values-a.yaml": "size: 2\n",
        "chart/b.values.yaml": "size: 3\n",
    }
    found = {unit.unit.name: objects(unit)["web"]["data"]["size"] for unit in rendered(files, with_helm).units}
    assert {"chart (b.values.yaml)": "3", "chart (values-a.yaml)": "2"} == found


def test_render_when_the_configuration_knows_the_cluster_then_the_chart_sees_its_capabilities(
    rendered, with_helm, named
):
    files = {**CHART, "chart/templates/map.yaml": TEMPLATE, "argo/app.yaml": application()}
    blue = Cluster(kubernetes_version="1.35", api_versions=("monitoring.coreos.com/v1",))
    data = objects(named(rendered(files, with_helm, clusters={"blue": blue}), "argocd/app"))["web"]["data"]
    assert {"kube": "v1.35.0", "monitoring": "true", "release": "app", "size": "1"} == data


def test_render_when_a_chart_goes_to_clusters_of_two_versions_then_it_is_rendered_for_each(rendered, with_helm):
    clusters = {
        name: Cluster(kubernetes_version=version, paths=("chart/",))
        for name, version in (("a", "1.35"), ("b", "1.36"), ("c", "1.35"))
    }
    rendering = rendered({**CHART, "chart/templates/map.yaml": TEMPLATE}, with_helm, clusters=clusters)
    assert {("a", "c"): "v1.35.0", ("b",): "v1.36.0"} == {
        unit.unit.clusters: objects(unit)["web"]["data"]["kube"] for unit in rendering.units
    }


def test_render_when_argo_gives_values_then_the_later_ones_win(rendered, with_helm, named):
    helm = {
        "releaseName": "other",
        "valueFiles": ["../more.yaml", "/root.yaml", "absent.yaml"],
        "ignoreMissingValueFiles": True,
        "values": "name: from-values\n",
        "parameters": [{"name": "size", "value": "a,b"}, {"name": "name", "value": "7", "forceString": True}],
    }
    files = {
        **CHART,
        "chart/templates/map.yaml": TEMPLATE,
        "more.yaml": "size: 5\nname: more\n",
        "root.yaml": "name: root\n",
        "argo/app.yaml": application(**helm),
    }
    found = objects(named(rendered(files, with_helm), "argocd/app"))
    assert ("a,b", "other") == (found["7"]["data"]["size"], found["7"]["data"]["release"])


def test_render_when_the_origin_is_asked_then_it_is_a_line_of_the_template_or_what_made_the_unit(
    rendered, with_helm, named
):
    twice = '{{ range list 1 2 }}\n---\napiVersion: v1\nkind: {{ "Secret" }}\nmetadata: {name: s-{{ . }}}\n{{ end }}\n'
    files = {
        **CHART,
        "chart/templates/map.yaml": TEMPLATE,
        "chart/templates/s.yaml": twice,
        "argo/app.yaml": application(),
    }
    unit = named(rendered(files, with_helm), "argocd/app")
    places = {one.resource.id.name: (one.resource.origin.path, one.resource.origin.line) for one in unit.objects}
    assert {
        "web": ("chart/templates/map.yaml", 3),
        "s-1": ("argo/app.yaml", 1),
        "s-2": ("argo/app.yaml", 1),
    } == places


def test_render_when_a_chart_has_hooks_and_tests_then_they_are_labelled(rendered, with_helm):
    def hooked(name: str, hook: str) -> str:
        return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: {hook}\n"

    files = {
        **CHART,
        "chart/templates/map.yaml": TEMPLATE,
        "chart/templates/h.yaml": hooked("h", "pre-install,pre-upgrade"),
        "chart/templates/tests/t.yaml": hooked("t", "test"),
    }
    (unit,) = rendered(files, with_helm).units
    assert {"web": "", "h": "pre-install,pre-upgrade", "t": "test"} == {
        one.resource.id.name: one.hook for one in unit.objects
    }


@pytest.mark.parametrize(
    "release",
    [
        pytest.param("--post-renderer=/tmp/evil", id="post-renderer"),
        pytest.param("--values=/etc/passwd", id="values"),
        pytest.param("-h", id="help"),
    ],
)
def test_render_when_a_release_is_named_like_a_flag_then_it_is_only_a_bad_name(rendered, with_helm, named, release):
    files = {**CHART, "chart/templates/map.yaml": TEMPLATE, "argo/app.yaml": application(releaseName=release)}
    unit = named(rendered(files, with_helm), "argocd/app")
    assert () == unit.objects
    assert "invalid release name" in unit.errors[0].message


def test_render_when_a_chart_asks_for_files_outside_or_names_of_hosts_then_it_gets_none(rendered, with_helm):
    nosy = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nosy}\ndata:\n"
        '  file: {{ .Files.Get "/etc/passwd" | quote }}\n  up: {{ .Files.Get "../../../etc/passwd" | quote }}\n'
        '  host: {{ getHostByName "localhost" | quote }}\n  found: {{ lookup "v1" "Secret" "" "" | toJson | quote }}\n'
    )
    (unit,) = rendered({**CHART, "chart/templates/nosy.yaml": nosy}, with_helm).units
    assert {"file": "", "up": "", "host": "", "found": "{}"} == objects(unit)["nosy"]["data"]


def test_render_when_dependencies_are_missing_then_the_network_is_needed(rendered, with_helm):
    files = dict(CHART)
    files["chart/Chart.yaml"] += (
        "dependencies:\n- name: db\n  version: 1.0.0\n  repository: https://u:p@charts.example.com\n"
    )
    (unit,) = rendered(files, with_helm).units
    assert ("chart/Chart.yaml", 5) == (unit.errors[0].path, unit.errors[0].line)
    assert "fetching it from https://charts.example.com needs --allow-network" in unit.errors[0].message


def test_render_when_dependencies_are_vendored_or_local_then_they_take_part(rendered, with_helm):
    child = "apiVersion: v2\nname: {}\nversion: 1.0.0\n"
    files = {
        **CHART,
        "chart/charts/one/Chart.yaml": child.format("one"),
        "chart/charts/one/templates/a.yaml": TEMPLATE.replace("{{ .Values.name | quote }}", "one"),
        "libs/two/Chart.yaml": child.format("two"),
        "libs/two/templates/a.yaml": TEMPLATE.replace("{{ .Values.name | quote }}", "two"),
    }
    files["chart/Chart.yaml"] += (
        "dependencies:\n- {name: one, version: 1.0.0, repository: 'https://charts.example.com'}\n"
        "- {name: two, version: 1.0.0, repository: 'file://../libs/two'}\n"
    )
    rendering = rendered(files, with_helm)
    (unit,) = [unit for unit in rendering.units if unit.unit.name == "chart"]
    assert () == unit.errors
    assert ["one", "two"] == sorted(objects(unit))
    assert "chart/charts/one/templates/a.yaml" == unit.objects[0].resource.origin.path


def test_render_when_a_template_fails_then_helms_message_is_the_error(rendered, with_helm):
    (unit,) = rendered({**CHART, "chart/templates/bad.yaml": '{{ fail "no luck" }}'}, with_helm).units
    assert "no luck" in unit.errors[0].message
    assert ("chart/Chart.yaml", 1) == (unit.errors[0].path, unit.errors[0].line)


# Flux -----------------------------------------------------------------------------------------------------------------

RELEASE = {
    "releaseName": "r",
    "targetNamespace": "shop",
    "chart": {"spec": {"chart": "./chart", "sourceRef": {"kind": "GitRepository", "name": "own"}}},
}
GIT = yaml.safe_dump(
    {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": "own", "namespace": "flux-system"},
        "spec": {"url": URL},
    }
)


def release(**spec: object) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": "web", "namespace": "flux-system"},
            "spec": {**RELEASE, **spec},
        }
    )


def flux(**spec: object) -> dict[str, str]:
    return {**CHART, "chart/templates/map.yaml": TEMPLATE, "flux/git.yaml": GIT, "flux/release.yaml": release(**spec)}


def test_render_when_a_helm_release_gives_values_then_they_are_merged_in_fluxs_order(rendered, with_helm, named):
    files = flux(
        values={"size": 9},
        valuesFrom=[
            {"kind": "ConfigMap", "name": "v"},
            {"kind": "ConfigMap", "name": "v", "valuesKey": "title", "targetPath": "name"},
            {"kind": "Secret", "name": "absent", "optional": True},
        ],
    )
    files["flux/v.yaml"] = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v, namespace: flux-system}\n"
        "data:\n  values.yaml: |\n    size: 4\n    name: from-map\n  title: from-key\n"
    )
    unit = named(rendered(files, with_helm), "flux-system/web")
    assert () == unit.errors
    assert ("shop", "9") == (
        objects(unit)["from-key"]["metadata"]["namespace"],
        objects(unit)["from-key"]["data"]["size"],
    )


def test_render_when_a_helm_release_lists_values_files_then_they_replace_the_charts_own(rendered, with_helm, named):
    files = flux(chart={"spec": {**RELEASE["chart"]["spec"], "valuesFiles": ["./chart/v.yaml"]}})
    files["chart/v.yaml"] = "name: only\n"
    files["chart/templates/map.yaml"] = TEMPLATE.replace(".Values.size", '(.Values.size | default "none")')
    assert "none" == objects(named(rendered(files, with_helm), "flux-system/web"))["only"]["data"]["size"]


def test_render_when_a_helm_release_has_post_renderers_then_their_patches_apply(rendered, with_helm, named):
    patch = {"target": {"kind": "ConfigMap"}, "patch": "- {op: add, path: /data/more, value: x}"}
    unit = named(rendered(flux(postRenderers=[{"kustomize": {"patches": [patch]}}]), with_helm), "flux-system/web")
    (one,) = unit.objects
    assert "x" == one.resource.body["data"]["more"]
    assert ("chart/templates/map.yaml", 3) == (one.resource.origin.path, one.resource.origin.line)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(
            {"chart": {"spec": {"chart": "x", "version": "1", "sourceRef": {"kind": "HelmRepository", "name": "far"}}}},
            "chart x of https://charts.example.com is remote: needs --allow-network",
            id="repository",
        ),
        pytest.param(
            {"chart": None, "chartRef": {"kind": "OCIRepository", "name": "oci"}},
            "chart oci://registry.example.com/charts/x is remote: needs --allow-network",
            id="oci",
        ),
        pytest.param(
            {"valuesFrom": [{"kind": "Secret", "name": "s"}]}, "Secret s, whose key 'values.yaml'", id="secret"
        ),
    ],
)
def test_render_when_a_helm_release_needs_what_is_not_there_then_it_says_so(rendered, with_helm, named, spec, message):
    files = flux(**spec)
    for kind, name, url in (
        ("HelmRepository", "far", "https://charts.example.com"),
        ("OCIRepository", "oci", "oci://registry.example.com/charts/x"),
    ):
        body = yaml.safe_load(GIT)
        files[f"flux/{name}.yaml"] = yaml.safe_dump(
            {**body, "kind": kind, "metadata": {"name": name, "namespace": "flux-system"}, "spec": {"url": url}}
        )
    unit = named(rendered(files, with_helm), "flux-system/web")
    assert () == unit.objects
    assert message in unit.errors[0].message


@pytest.mark.parametrize(
    ("template", "excused"),
    [
        pytest.param('kind: {{ required "say which" .Values.kind }}\n', True, id="a-required-value"),
        pytest.param("kind: {{ .Values.deep.down.kind }}\n", True, id="a-value-that-is-not-there"),
        pytest.param("kind: {{ nonsense }}\n", False, id="a-wrong-template"),
    ],
)
def test_render_when_nobody_gives_a_chart_its_values_then_that_is_no_mistake(rendered, with_helm, template, excused):
    (unit,) = rendered({**CHART, "chart/templates/a.yaml": template}, with_helm).units
    assert [excused] == [error.message.startswith("not rendered: the values beside") for error in unit.errors]


def test_render_when_helm_is_missing_then_the_unit_says_so(rendered):
    tools = Tools(kustomize=find_tools({"PATH": ""}).kustomize, helm=None)
    (unit,) = rendered({**CHART, "chart/templates/map.yaml": TEMPLATE}, tools=tools).units
    assert "helm is not on PATH" in unit.errors[0].message
