"""Flux: which units its objects make, and what they are rendered to; by the real kubectl."""

import pytest
import yaml

from gitops_guard.config.model import Cluster
from gitops_guard.model.unit import UnitKind

SOURCE = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {url: 'ssh://git@git.example.com/shop/gitops.git'}
"""
WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {tier: "${tier:=front}"}
spec:
  replicas: ${replicas}
  template:
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1.0
"""
PARTS = """apiVersion: v1
kind: ConfigMap
metadata:
  name: script
  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}
data:
  run.sh: echo ${HOME}
"""


def kustomization(name: str, path: str, spec: str = "{}") -> str:
    body = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": "flux-system"},
        "spec": {
            "path": path,
            "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
            **yaml.safe_load(spec),
        },
    }
    return yaml.safe_dump(body)


def bodies(unit) -> dict:
    return {one.resource.id.name: one.resource.body for one in unit.objects}


REPOSITORY = {
    "clusters/staging/source.yaml": SOURCE,
    "apps/web/web.yaml": WEB,
    "apps/web/extra/script.yaml": PARTS,
}
POST_BUILD = "{postBuild: {substitute: {replicas: 3}}}"


def test_render_when_a_path_has_no_kustomization_then_all_below_is_built_and_substituted(rendered, named):
    files = {**REPOSITORY, "clusters/staging/web.yaml": kustomization("web", "./apps/web", POST_BUILD)}
    unit = named(rendered(files), "flux-system/web")
    assert () == unit.errors
    assert (UnitKind.FLUX_KUSTOMIZATION, "apps/web", ("staging",)) == (
        unit.unit.kind,
        unit.unit.path,
        unit.unit.clusters,
    )
    assert 3 == bodies(unit)["web"]["spec"]["replicas"]
    assert "front" == bodies(unit)["web"]["metadata"]["labels"]["tier"]
    assert {"run.sh": "echo ${HOME}"} == bodies(unit)["script"]["data"]
    assert ["flux-system/web", "clusters/staging"] == [one.unit.name for one in rendered(files).units]


def test_render_when_the_object_says_more_than_a_path_then_the_build_has_it(rendered, named):
    spec = """
      targetNamespace: shop
      namePrefix: a-
      nameSuffix: -z
      suspend: true
      dependsOn: [{name: crds}, {name: base, namespace: other}]
      commonMetadata: {labels: {team: web}, annotations: {owner: ada}}
      images: [{name: registry.example.com/web, newTag: "2.0"}]
      components: [../../parts]
      patches:
      - target: {kind: Deployment}
        patch: |
          - {op: replace, path: /spec/replicas, value: 7}
    """
    files = {
        **REPOSITORY,
        "clusters/staging/web.yaml": kustomization("web", "apps/web", spec),
        "parts/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {part: yes-it-is}\n",
    }
    unit = named(rendered(files), "flux-system/web")
    assert () == unit.errors
    web = bodies(unit)["a-web-z"]
    assert "shop" == web["metadata"]["namespace"]
    assert 7 == web["spec"]["replicas"]
    assert "registry.example.com/web:2.0" == web["spec"]["template"]["spec"]["containers"][0]["image"]
    assert "web" == web["metadata"]["labels"]["team"]
    assert {"owner": "ada", "part": "yes-it-is"} == web["metadata"]["annotations"]
    assert {"part": "yes-it-is"} == web["spec"]["template"]["metadata"]["annotations"]
    assert ("other/base", "flux-system/crds") == tuple(sorted(unit.unit.depends_on, reverse=True))
    assert unit.unit.suspended


def test_render_when_variables_come_from_config_maps_then_those_of_the_same_cluster_count(rendered):
    def settings(replicas: int) -> str:
        return (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\n"
            f"data: {{replicas: '{replicas}', tier: from-map}}\n"
        )

    spec = "{postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}], substitute: {tier: in-line}}}"
    files = dict(REPOSITORY)
    for cluster, replicas in (("staging", 1), ("production", 5)):
        files[f"clusters/{cluster}/source.yaml"] = SOURCE
        files[f"clusters/{cluster}/settings.yaml"] = settings(replicas)
        files[f"clusters/{cluster}/web.yaml"] = kustomization("web", "./apps/web", spec)
    found = {
        unit.unit.clusters: (bodies(unit)["web"]["spec"]["replicas"], bodies(unit)["web"]["metadata"]["labels"]["tier"])
        for unit in rendered(files).units
        if unit.unit.kind is UnitKind.FLUX_KUSTOMIZATION
    }
    assert {("staging",): (1, "in-line"), ("production",): (5, "in-line")} == found


FROM_SECRET = "{postBuild: {substituteFrom: [{kind: Secret, name: hidden}]}}"


def test_render_when_variables_come_from_a_secret_then_the_error_says_where_to_give_them(rendered, named):
    spec = "{postBuild: {substituteFrom: [{kind: Secret, name: hidden}], substitute: {tier: x}}}"
    files = {**REPOSITORY, "clusters/staging/web.yaml": kustomization("web", "./apps/web", spec)}
    (error,) = named(rendered(files), "flux-system/web").errors
    assert ("apps/web/web.yaml", 1) == (error.path, error.line)
    assert "variable not set (strict mode): 'replicas'; Secret hidden is not in the repository" in error.message
    assert "clusters: variables" in error.message


def test_render_when_the_configuration_gives_a_secrets_variables_then_it_is_whole(rendered, named):
    files = {**REPOSITORY, "clusters/staging/web.yaml": kustomization("web", "./apps/web", FROM_SECRET)}
    unit = named(rendered(files, clusters={"staging": Cluster(variables={"replicas": "4"})}), "flux-system/web")
    assert (4, ()) == (bodies(unit)["web"]["spec"]["replicas"], unit.errors)


def test_render_when_nothing_is_substituted_then_the_text_stays(rendered, named):
    files = {**REPOSITORY, "apps/web/web.yaml": PARTS.replace("disabled", "enabled").replace("script", "other")}
    files["clusters/staging/web.yaml"] = kustomization("web", "./apps/web", "{postBuild: {}}")
    assert "echo ${HOME}" == bodies(named(rendered(files), "flux-system/web"))["other"]["data"]["run.sh"]


def test_units_when_objects_come_out_of_an_overlay_then_they_are_found_rendered(rendered, named):
    files = {
        "base/web.yaml": kustomization("web", "./apps/web", POST_BUILD),
        "base/source.yaml": SOURCE,
        "base/kustomization.yaml": "resources: [web.yaml, source.yaml]\n",
        "clusters/staging/kustomization.yaml": "resources: [../../base]\n"
        "patches:\n- target: {kind: Kustomization}\n  patch: |\n    - {op: add, path: /spec/targetNamespace, value: stage}\n",
        "apps/web/web.yaml": WEB,
    }
    rendering = rendered(files)
    unit = named(rendering, "flux-system/web")
    assert ("stage", ("staging",)) == (unit.unit.namespace, unit.unit.clusters)
    assert ("base/web.yaml", 1) == (unit.unit.declared_in, unit.unit.declared_line)
    assert ["flux-system/web", "clusters/staging"] == [one.unit.name for one in rendering.units]


def test_render_when_a_kustomization_reads_beside_itself_then_it_may_as_in_flux(rendered, named):
    files = {
        **REPOSITORY,
        "clusters/staging/web.yaml": kustomization("web", "./apps/web/overlay", POST_BUILD),
        "apps/web/overlay/kustomization.yaml": "resources: [../web.yaml]\n",
    }
    assert () == named(rendered(files), "flux-system/web").errors


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param("{path: ./nowhere}", "path ./nowhere is not in the memory", id="no-such-path"),
        pytest.param("{path: ../../etc}", "path ../../etc is not in the memory", id="path-outside"),
        pytest.param("{sourceRef: {kind: OCIRepository, name: x}}", "OCIRepository x is not in this repo", id="oci"),
        pytest.param("{sourceRef: {kind: Bucket, name: x}}", "Bucket x is not in this repository", id="bucket"),
        pytest.param("{sourceRef: {kind: GitRepository, name: other}}", "is another repository", id="other-repository"),
        pytest.param("{postBuild: {substitute: {a-b: c}}}", "'a-b' is no name of a variable", id="variable-name"),
        pytest.param("{components: [/etc]}", "leaves the repository", id="component-outside"),
    ],
)
def test_render_when_a_kustomization_cannot_be_rendered_then_it_says_why(rendered, named, spec, message):
    other = SOURCE.replace("flux-system, n", "other, n").replace("shop/gitops", "elsewhere/x")
    files = {
        **REPOSITORY,
        "clusters/staging/other.yaml": other,
        "clusters/staging/web.yaml": kustomization("web", "./apps/web", spec),
        "clusters/staging/own.yaml": kustomization("own", "./apps/web", POST_BUILD),
        "clusters/staging/own2.yaml": kustomization("own2", "./apps/web", POST_BUILD),
    }
    unit = named(rendered(files), "flux-system/web")
    assert () == unit.objects
    assert message in unit.errors[0].message


GENERATOR = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nfiles: ['%s']\n"


@pytest.mark.parametrize(
    ("kustomization_text", "generator"),
    [
        pytest.param("generators: [g.yaml]\n", GENERATOR % "/etc/passwd", id="absolute"),
        pytest.param("generators: [g.yaml]\n", GENERATOR % "../../../../../etc/passwd", id="up"),
        pytest.param("generators: [g.yaml]\n", GENERATOR % "a=/etc/passwd", id="named"),
        pytest.param(
            "generators: ['" + "{apiVersion: builtin, kind: ConfigMapGenerator, files: [/etc/passwd]}']\n",
            "",
            id="in-line",
        ),
        pytest.param("generators: [gen]\n", "", id="from-a-directory"),
        pytest.param("configMapGenerator: [{name: x, files: [/etc/passwd]}]\n", "", id="field"),
    ],
)
def test_render_when_flux_may_read_beside_itself_then_still_not_outside_of_the_repository(
    rendered, named, kustomization_text, generator
):
    files = {
        **REPOSITORY,
        "clusters/staging/web.yaml": kustomization("web", "./apps/web/overlay", POST_BUILD),
        "apps/web/overlay/kustomization.yaml": f"resources: [../web.yaml]\n{kustomization_text}",
        "apps/web/overlay/g.yaml": generator,
        "apps/web/overlay/gen/kustomization.yaml": "resources: [h.yaml]\n",
        "apps/web/overlay/gen/h.yaml": GENERATOR % "/etc/passwd",
    }
    unit = named(rendered(files), "flux-system/web")
    assert () == unit.objects
    assert "outside of the repository" in unit.errors[0].message or "leaves the repository" in unit.errors[0].message


def test_render_when_flux_reads_beside_itself_and_a_patch_has_slashes_then_it_is_no_path(rendered, named):
    files = {
        **REPOSITORY,
        "clusters/staging/web.yaml": kustomization("web", "./apps/web/overlay", POST_BUILD),
        "apps/web/overlay/kustomization.yaml": "resources: [../web.yaml]\n"
        "commonAnnotations: {path: /metrics}\n"
        "patches: [{target: {kind: Deployment}, patch: '- {op: add, path: /spec/paused, value: a=/b}'}]\n",
    }
    assert () == named(rendered(files), "flux-system/web").errors
