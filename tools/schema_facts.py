"""Write the facts about built-in kinds that the schema data lacks: enums and lifecycles, read from the Go types.

    python tools/schema_facts.py

Needs the Go toolchain and its module proxy; run it when a Kubernetes minor version is added, review the diff, then run
`schema_index.py`. Sources: `// +enum` types and `zz_generated.prerelease-lifecycle.go` of the modules in MODULES; the
rows in HAND are the
places where the server's words differ from the generated ones, or that left the modules before 1.25.
"""

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "gitops_guard" / "schema" / "data"
MINORS = range(25, 38)
MODULES = {
    "k8s.io/api": "io.k8s.api.",
    "k8s.io/apimachinery": "io.k8s.apimachinery.",
    "k8s.io/apiextensions-apiserver": "io.k8s.apiextensions-apiserver.",
    "k8s.io/kube-aggregator": "io.k8s.kube-aggregator.",
}
_CORE = "io.k8s.api.core.v1."
_ADMISSION = "io.k8s.api.admissionregistration.v1."
_ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
_VERBS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]
_SUBJECTS = ["Group", "ServiceAccount", "User"]

HAND_ENUMS: dict[str, dict[str, list[str]]] = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": {
        "operator": ["DoesNotExist", "Exists", "In", "NotIn"]
    },
    "io.k8s.api.autoscaling.v2.MetricSpec": {"type": ["ContainerResource", "External", "Object", "Pods", "Resource"]},
    "io.k8s.api.autoscaling.v2.MetricTarget": {"type": ["AverageValue", "Utilization", "Value"]},
    "io.k8s.api.storage.v1.StorageClass": {"reclaimPolicy": ["Delete", "Retain"]},
    _ADMISSION + "ValidatingWebhook": {"sideEffects": ["None", "NoneOnDryRun"]},
    _ADMISSION + "MutatingWebhook": {"sideEffects": ["None", "NoneOnDryRun"]},
    _ADMISSION + "RuleWithOperations": {"operations": _VERBS},
    _ADMISSION + "NamedRuleWithOperations": {"operations": _VERBS},
    _ADMISSION + "ValidatingAdmissionPolicyBindingSpec": {"validationActions": ["Audit", "Deny", "Warn"]},
    _CORE + "PersistentVolumeSpec": {"accessModes": _ACCESS_MODES},
    _CORE + "PersistentVolumeClaimSpec": {"accessModes": _ACCESS_MODES},
    _CORE + "ServiceSpec": {"ipFamilies": ["IPv4", "IPv6"]},
    "io.k8s.api.networking.v1.NetworkPolicySpec": {"policyTypes": ["Egress", "Ingress"]},
    "io.k8s.api.rbac.v1.RoleRef": {"apiGroup": ["rbac.authorization.k8s.io"]},
    "io.k8s.api.rbac.v1.Subject": {"kind": _SUBJECTS},
    "io.k8s.api.flowcontrol.v1.Subject": {"kind": _SUBJECTS},
    "io.k8s.api.storage.v1.CSIDriverSpec": {
        "fsGroupPolicy": ["File", "None", "ReadWriteOnceWithFSType"],
        "volumeLifecycleModes": ["Ephemeral", "Persistent"],
    },
}

# Kinds whose types left the modules before 1.25; from the Kubernetes changelogs of 1.16, 1.19 and 1.20.
HAND_LIFECYCLES: dict[str, dict[str, object]] = {
    "auditregistration.k8s.io/v1alpha1 AuditSink": {"introduced": 13, "removed": 19},
    "settings.k8s.io/v1alpha1 PodPreset": {"introduced": 6, "removed": 20},
    "scheduling.k8s.io/v1alpha1 PriorityClass": {
        "introduced": 8,
        "removed": 22,
        "replacement": "scheduling.k8s.io/v1 PriorityClass",
    },
    "scheduling.k8s.io/v1beta1 PriorityClass": {
        "introduced": 11,
        "removed": 22,
        "replacement": "scheduling.k8s.io/v1 PriorityClass",
    },
    "batch/v2alpha1 CronJob": {"introduced": 5, "removed": 21, "replacement": "batch/v1 CronJob"},
    "policy/v1beta1 PodSecurityPolicy": {"introduced": 10, "deprecated": 21, "removed": 25},
}

_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r'^\t\w+\s+(\S+)\s+`[^`]*json:"(\w+)[",]', re.MULTILINE)
_ENUM = re.compile(r"^// \+enum\n(?://[^\n]*\n)*type (\w+) string", re.MULTILINE)
_CONST = re.compile(r'^(?:const|\t)\s*\w+\s+(\w+)\s*=\s*"([^"]*)"', re.MULTILINE)
_EMBEDDED = re.compile(r'^\t(\w+)\s+`json:"(?:,inline)?"', re.MULTILINE)  # from 1.37 on the tag is empty
_IMPORT = re.compile(r'^\t(?:(\w+) )?"(k8s\.io/[^"]+)"', re.MULTILINE)
_LIFECYCLE = re.compile(
    r"^func \(in \*(\w+)\) APILifecycle(Introduced|Deprecated|Removed)\(\).*?return (\d+), (\d+)",
    re.MULTILINE | re.DOTALL,
)
_REPLACEMENT = re.compile(
    r'^func \(in \*(\w+)\) APILifecycleReplacement.*?Group: "([^"]*)", Version: "([^"]*)", Kind: "([^"]*)"',
    re.MULTILINE | re.DOTALL,
)
_GROUP = re.compile(r'GroupName = "([^"]*)"')


def module_folder(module: str, minor: int) -> Path | None:
    """Download the newest patch release of a module and return its folder; None when the proxy has none."""
    listed = subprocess.run(["go", "list", "-m", "-versions", module], capture_output=True, text=True, check=True)
    releases = re.findall(rf"v0\.{minor}\.(\d+)(?=\s)", listed.stdout + "\n")
    for patch in sorted(map(int, releases), reverse=True):
        result = subprocess.run(
            ["go", "mod", "download", "-json", f"{module}@v0.{minor}.{patch}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode == 0:
            return Path(json.loads(result.stdout)["Dir"])
    return None


def module_folders(minor: int) -> dict[str, Path]:
    """Return the folders of the modules that the proxy has for a minor version."""
    found = {module: module_folder(module, minor) for module in MODULES}
    return {module: folder for module, folder in found.items() if folder is not None}


def read_packages(folders: dict[str, Path]) -> dict[str, str]:
    """Return the Go sources of every package with types, by import path."""
    packages = {}
    for module, folder in folders.items():
        for types in folder.rglob("types*.go"):
            if "testdata" in types.parts or types.name.endswith("_test.go"):
                continue
            path = f"{module}/{types.parent.relative_to(folder)}"
            sources = sorted(file for file in types.parent.glob("*.go") if not file.name.endswith("_test.go"))
            packages[path] = "\n".join(
                file.read_text() for file in sources if not file.name.startswith(("generated", "zz_generated.openapi"))
            )
    return packages


def definition_name(path: str, struct: str) -> str:
    """Return a struct's OpenAPI name: `io.k8s.api.core.v1.Pod`."""
    for module, prefix in MODULES.items():
        if path.startswith(module + "/"):
            return prefix + path.removeprefix(module + "/").replace("/", ".") + "." + struct
    raise LookupError(path)


def read_enums(packages: dict[str, str]) -> dict[str, dict[str, list[str]]]:
    """Return the allowed words by definition and field."""
    words: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path, source in packages.items():
        types = set(_ENUM.findall(source))
        for name, value in _CONST.findall(source):
            if name in types:
                words[path, name].add(value)
    found: dict[str, dict[str, list[str]]] = {}
    for path, source in packages.items():
        imports = {alias or target.rpartition("/")[2]: target for alias, target in _IMPORT.findall(source)}
        structs = dict(_STRUCT.findall(source))
        for struct, body in structs.items():
            fields = {}
            inlined = [structs.get(name, "") for name in _EMBEDDED.findall(body)]
            for type_name, field in _FIELD.findall("\n".join([body, *inlined])):
                package, _, local = type_name.lstrip("*[]").rpartition(".")
                values = words.get((imports.get(package, path), local))
                if values:
                    fields[field] = sorted(values)
            if fields:
                found[definition_name(path, struct)] = dict(sorted(fields.items()))
    return found


def read_lifecycles(packages: dict[str, str]) -> dict[str, dict[str, object]]:
    """Return minor versions (and a replacement) by `<apiVersion> <kind>`."""
    found: dict[str, dict[str, object]] = defaultdict(dict)
    for path, source in packages.items():
        group = _GROUP.search(source)
        if group is None:
            continue
        version = path.rpartition("/")[2]
        api_version = f"{group[1]}/{version}" if group[1] else version
        for kind, event, _, minor in _LIFECYCLE.findall(source):
            found[f"{api_version} {kind}"][event.lower()] = int(minor)
        for kind, to_group, to_version, to_kind in _REPLACEMENT.findall(source):
            found[f"{api_version} {kind}"]["replacement"] = (
                f"{to_group}/{to_version} {_same_sort(kind, to_kind)}".lstrip("/")
            )
    return {key: facts for key, facts in found.items() if not key.endswith("List")}


def _same_sort(kind: str, replacement: str) -> str:
    """Put right that upstream names IngressClassList as the replacement of IngressClass."""
    return replacement if kind.endswith("List") else replacement.removesuffix("List")


def write(path: Path, content: object) -> None:
    """Write JSON so that a diff shows one fact a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=0, sort_keys=True) + "\n")


def main() -> None:
    """Read every minor version and write `enums/<minor>.json` and `lifecycle.json`."""
    lifecycles: dict[str, dict[str, object]] = dict(HAND_LIFECYCLES)
    for minor in MINORS:
        folders = module_folders(minor)
        source = {module: folder.name.rpartition("@")[2] for module, folder in folders.items()}
        packages = read_packages(folders)
        enums = read_enums(packages)
        for definition, fields in HAND_ENUMS.items():
            enums.setdefault(definition, {}).update(fields)
        write(DATA / "enums" / f"1.{minor}.json", {"enums": enums, "source": source})
        lifecycles.update(read_lifecycles(packages))
    write(DATA / "lifecycle.json", {"kinds": lifecycles, "source": [f"1.{minor}" for minor in MINORS]})


if __name__ == "__main__":
    main()
