"""Record anew what the real controllers do: `PYTHONPATH=tests python tests/rollout/record.py DIRECTORY [NAME...]`.

Needs the control plane of `tests/controlplane`: kube-apiserver, kube-controller-manager, argo-rollouts, flagger and KWOK. It asks
for the same rollouts every time; the order of what happens differs from run to run, so review what changes in `traces/`.
"""

import copy
import functools
import itertools
import json
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from controlplane import binaries, tools, traces
from controlplane.api import MERGE_PATCH, wait_for
from controlplane.controllers import Controllers
from controlplane.others import ArgoRollouts, Flagger
from controlplane.record import _running
from controlplane.scenarios import Rollout, _changed, _rolling, _workload
from controlplane.server import ADMIN
from controlplane.traces import _placed, _Watcher

COUNTS = {"deployments": 220, "statefulsets": 68, "daemonsets": 66, "argo_rollouts": 85, "flagger": 72}
AT_ONCE = {"deployments": 2, "statefulsets": 2, "daemonsets": 2, "argo_rollouts": 2, "flagger": 8}
"""Rollouts recorded side by side; Flagger's mostly wait for its next look."""
SEED = 20261
TRIES = 3
QUIET_S = {"Deployment": 1.6, "Rollout": 3.2}
"""After so long without an event a rollout is over; longer than any pause or minReadySeconds of the cases."""

PREFIX = "deployment.kubernetes.io/"
HASH = "rollouts-pod-template-hash"


def main(directory, names):
    with tempfile.TemporaryDirectory() as place, _running(Path(place)) as plane:
        controllers = Controllers(
            plane,
            **dict(
                zip(
                    ("kube_controller_manager", "kube_scheduler", "kwok"),
                    (binaries.obtain(tool) for tool in tools.CONTROLLERS),
                    strict=True,
                )
            ),
        )
        controllers.start()
        versions = {"kubernetes": plane.version(), "kwok": tools.KWOK.version}
        for name in names or RECORDERS:
            recorder = RECORDERS[name](controllers, random.Random(f"{SEED} {name}"))
            wanted = [(f"{name.replace('_', '-')}-{number}", recorder.draw(number)) for number in range(COUNTS[name])]
            with ThreadPoolExecutor(AT_ONCE[name]) as pool:
                found = pool.map(functools.partial(recorded, controllers, recorder), wanted)
                cases = [case for case in found if case is not None]
            lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
            head = json.dumps({"versions": versions | recorder.versions, "seed": SEED})[:-1]
            (Path(directory) / f"{name}.json").write_text(f'{head}, "cases": [\n{lines}\n]}}\n')


def recorded(controllers, recorder, wanted):
    """Record a case, anew where something disturbed it."""
    name, case = wanted
    for number in range(TRIES):
        namespace = f"{name}-{number}"
        controllers.create_namespace(namespace)
        try:
            found = recorder.record(namespace, case)
        finally:
            controllers.delete_namespace(namespace)
        print(namespace, flush=True)
        if not recorder.is_disturbed(found):
            return found
    return None


class Recorder:
    """Draws cases and records them."""

    versions = {}

    def __init__(self, controllers, chance):
        self.controllers, self.chance = controllers, chance

    def is_disturbed(self, case):
        """Whether something else than the controllers acted; seldom, on a machine that has too much to do."""
        return False


def stages(chance):
    return {
        "ready-delay": f"{chance.choice([50, 100, 200, 400])}ms",
        "termination-delay": f"{chance.choice([50, 200, 500])}ms",
    }


def version(body, number, *, never=False):
    body = copy.deepcopy(body)
    template = body["spec"]["template"]
    template["spec"]["containers"][0]["image"] = f"web:{number}"
    template["metadata"]["annotations"].pop("stage.test/never-ready", None)
    if never:
        template["metadata"]["annotations"]["stage.test/never-ready"] = "true"
    return body


def number_of(pod):
    return int(pod["spec"]["containers"][0]["image"].split(":")[1])


def never_ready(body):
    return "stage.test/never-ready" in body["spec"]["template"]["metadata"]["annotations"]


def budget(chance, surges, unavailables):
    while True:
        surge, unavailable = chance.choice(surges), chance.choice(unavailables)
        if surge or unavailable:
            return _rolling(surge, unavailable)


# Deployments


def deployment_case(chance):
    """A Deployment, the changes it goes through, and the waits between them."""
    strategy = budget(chance, [0, 1, 2, 3, "25%", "50%", "100%"], [0, 1, 2, "25%", "50%"])
    spec = {"replicas": chance.randint(1, 8), "strategy": strategy}
    if chance.random() < 0.12:
        spec["strategy"] = {"type": "Recreate"}
    if chance.random() < 0.2:
        spec["minReadySeconds"] = 1
    before = _workload("Deployment", stages=stages(chance), **spec)
    steps = [version(before, 2, never=chance.random() < 0.2)]
    if chance.random() < 0.2:
        steps[0]["spec"]["replicas"] = chance.randint(1, 8)
    for _ in range(chance.choice([0, 0, 0, 1, 1, 2])):
        steps.append(further(chance, before, steps))
    return before, steps, [chance.choice([0.05, 0.15, 0.3, 0.6, 1.0]) for _ in steps[1:]]


def further(chance, before, steps):
    body = copy.deepcopy(steps[-1])
    match chance.choice(["replicas", "replicas", "template", "revert", "pause"]):
        case "replicas":
            body["spec"]["replicas"] = chance.randint(1, 8)
        case "template":
            body = version(body, len(steps) + 2)
        case "revert":
            body = copy.deepcopy(before)
            body["spec"]["replicas"] = steps[-1]["spec"]["replicas"]
        case "pause":
            body["spec"]["paused"] = not body["spec"].get("paused", False)
    return body


class DeploymentRecorder(Recorder):
    def draw(self, number):
        return deployment_case(self.chance)

    def record(self, namespace, case):
        return record_deployment(self.controllers, namespace, *case)


def record_deployment(controllers, namespace, before, steps, waits):
    api = controllers.control_plane.api(ADMIN)
    own = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    api.expect("POST", own, _placed(before, namespace))
    controllers.wait_for_rollout(_placed(before, namespace))
    kinds = {
        "Pod": f"/api/v1/namespaces/{namespace}/pods",
        "ReplicaSet": f"/apis/apps/v1/namespaces/{namespace}/replicasets",
        "Deployment": own,
    }
    events = watched(controllers, namespace, kinds, steps, waits)
    shown = [
        [
            number_of(one["spec"]["template"]),
            one["spec"]["replicas"],
            one["spec"].get("paused", False),
            never_ready(one),
        ]
        for one in steps
    ]
    spec = {key: before["spec"][key] for key in ("replicas", "strategy", "minReadySeconds") if key in before["spec"]}
    return {
        "spec": spec,
        "steps": shown,
        **fold_deployment(events, shown, recreate="rollingUpdate" not in spec["strategy"]),
    }


class Seen:
    """An object as it was when the watch began."""

    t_s = 0.0
    is_deleted = False

    def __init__(self, kind, body):
        self.kind, self.body = kind, body
        self.version = int(body["metadata"]["resourceVersion"])


def watched(controllers, namespace, kinds, steps, waits, is_over=None):
    """Apply the steps; return all events of the kinds, with the objects there were before, in the server's order."""
    api = controllers.control_plane.api(ADMIN)
    time.sleep(0.3)
    first = [Seen(kind, body) for kind, path in kinds.items() for body in api.expect("GET", path)["items"]]
    since = api.expect("GET", min(kinds.values()))["metadata"]["resourceVersion"]
    started, events = time.monotonic(), []
    watchers = [_Watcher(controllers.control_plane.api(ADMIN), path, since, started, events) for path in kinds.values()]
    for wait, step in zip([0, *waits], steps, strict=True):
        time.sleep(wait)
        if step is ABORT:
            patch = {"status": {"abort": True}}
            answer = api.request(
                "PATCH", f"{kinds['Rollout']}/web/status", patch, headers={"Content-Type": MERGE_PATCH}
            )
        else:
            answer = api.apply(_placed(step, namespace), manager="gitops-guard", force=True)
        assert answer.status == 200, answer
    if is_over:
        wait_for(is_over, what="the end", timeout_s=400)
    quiet_s = QUIET_S[steps[0]["kind"]]
    wait_for(lambda: events and time.monotonic() - started - events[-1].t_s > quiet_s, what="quiet", timeout_s=90)
    for watcher in watchers:
        watcher.end()
    api.close()
    return sorted([*first, *events], key=lambda event: event.version)


def fold_deployment(events, steps, *, recreate):
    rows, pods, born, times = [], {}, {}, Times()
    for event in events:
        body = event.body
        if event.kind == "Pod":
            times.see(event)
            pods.pop(body["metadata"]["name"], None)
            if not event.is_deleted:
                pods[body["metadata"]["name"]] = number_of(body)
            row = ["pods", *sorted(pods.values())] if recreate else None
        elif event.is_deleted:
            continue
        elif event.kind == "ReplicaSet":
            row = set_row(body)
            born.setdefault(row[1], body["metadata"]["creationTimestamp"])
        else:
            row = deployment_row(body)
            times.see_status(row, event.t_s)
        if row and (not rows or rows[-1] != row):
            rows.append(row)
    seconds = sorted(set(born.values()))
    ranks = {str(number): seconds.index(at) for number, at in born.items()}
    single = len(steps) == 1 and not steps[0][2] and not steps[0][3]
    return {
        "born": ranks,
        "least_ready": times.least,
        "most_pods": times.most,
        "rows": rows,
        **(times.told() if single else {}),
    }


def set_row(body):
    status, notes = body.get("status", {}), body["metadata"].get("annotations", {})
    sizes = [
        int(notes[PREFIX + name]) if PREFIX + name in notes else None for name in ("desired-replicas", "max-replicas")
    ]
    counts = [status.get(name, 0) for name in ("replicas", "readyReplicas", "availableReplicas")]
    revision = int(notes.get(PREFIX + "revision", 0))
    return ["set", number_of(body["spec"]["template"]), body["spec"]["replicas"], *sizes, revision, *counts]


def deployment_row(body):
    spec, status = body["spec"], body.get("status", {})
    reasons = [one["reason"] for one in status.get("conditions", []) if one["type"] == "Progressing"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    observed = status.get("observedGeneration", 0) >= body["metadata"]["generation"]
    progress = reasons[0] if reasons else ""
    return [
        "deployment",
        number_of(spec["template"]),
        spec["replicas"],
        spec.get("paused", False),
        observed,
        progress,
        *counts,
    ]


class Times:
    """How long pods took to become ready and to end, how few were ready, and when the rollout was complete."""

    def __init__(self):
        self.born, self.dying, self.live = {}, {}, {}
        self.ready, self.gone = [], []
        self.least, self.most = 1 << 31, 0
        self.start = self.end = None

    def see(self, event):
        name, body = event.body["metadata"]["name"], event.body
        conditions = body.get("status", {}).get("conditions", [])
        is_ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        is_dying = "deletionTimestamp" in body["metadata"]
        if event.t_s:
            self.born.setdefault(name, event.t_s)
        if is_ready and self.born.get(name, -1) >= 0:
            self.ready.append(event.t_s - self.born[name])
            self.born[name] = -1
        if is_dying:
            self.dying.setdefault(name, event.t_s)
        self.live[name] = (is_ready, is_dying)
        if event.is_deleted:
            del self.live[name]
            self.gone.append(event.t_s - self.dying.get(name, event.t_s))
        if event.t_s:
            staying = [ready for ready, dying in self.live.values() if not dying]
            self.least, self.most = min(self.least, sum(staying)), max(self.most, len(staying))

    def see_status(self, row, t_s):
        _, number, replicas, _, observed, progress, *counts = row
        if number == 2 and self.start is None:
            self.start = t_s
        if number == 2 and observed and progress == "NewReplicaSetAvailable" and counts == [replicas] * 4:
            self.end = self.end or t_s

    def told(self):
        spans = {"ready_s": self.ready, "gone_s": self.gone}
        ends = {name: [round(min(one, default=0), 2), round(max(one, default=0), 2)] for name, one in spans.items()}
        return {"took_s": round(self.end - self.start, 2), **ends}


# StatefulSets and DaemonSets


def stateful_case(chance):
    spec = {
        "replicas": chance.randint(1, 5),
        "serviceName": "web",
        "podManagementPolicy": chance.choice(["OrderedReady", "OrderedReady", "Parallel"]),
    }
    if chance.random() < 0.3:
        spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"partition": chance.randint(0, 3)}}
    elif chance.random() < 0.1:
        spec["updateStrategy"] = {"type": "OnDelete"}
    return _workload("StatefulSet", stages=stages(chance), **spec)


def daemon_case(chance):
    limits = [(0, 1), (0, 2), (0, "34%"), (1, 0), (2, 0), ("100%", 0)]
    strategy = chance.choice([*(_rolling(*limit) for limit in limits), {"type": "OnDelete"}])
    return _workload("DaemonSet", stages=stages(chance), updateStrategy=strategy)


class PodsRecorder(Recorder):
    def draw(self, number):
        chance, before = self.chance, self.make(self.chance)
        after = _changed(before, stages={"never-ready": "true"} if chance.random() < 0.25 else None)
        if before["kind"] == "StatefulSet" and chance.random() < 0.25:
            after["spec"]["replicas"] = chance.randint(0, 5)
        return before, after

    def record(self, namespace, case):
        before, after = case
        trace = traces.record(self.controllers, namespace, Rollout(before=before, after=after, settles=False))
        specs = {"before": bare(before), "after": bare(after), "never_ready": never_ready(after)}
        stages = before["spec"]["template"]["metadata"]["annotations"]
        times = {"stages": stages, "took_s": trace["states"][-1]["t_s"]}
        return specs | {"bounds": trace["bounds"], "path": trace["path"], **times}


class StatefulSetRecorder(PodsRecorder):
    def is_disturbed(self, case):
        """KWOK ends pods by their names, and now and then takes a new pod for the old one of its name."""
        shrinks = case["after"]["replicas"] < case["before"]["replicas"]
        return not shrinks and any(event.startswith("new") and event.endswith("terminating") for event in case["path"])

    make = staticmethod(stateful_case)


class DaemonSetRecorder(PodsRecorder):
    make = staticmethod(daemon_case)


def bare(body):
    return {key: value for key, value in body["spec"].items() if key not in ("template", "selector", "serviceName")}


# Argo Rollouts


class ArgoRecorder(Recorder):
    """The first cases are mixed; then come blue-greens, and changes that a person aborts."""

    versions = {"argo-rollouts": tools.ARGO_ROLLOUTS.version}

    def __init__(self, controllers, chance):
        super().__init__(controllers, chance)
        ArgoRollouts(controllers, binaries.obtain(tools.ARGO_ROLLOUTS)).start()

    def draw(self, number):
        before, steps, waits = argo_case(self.chance)
        if 40 <= number < 55:
            before["spec"]["strategy"] = blue_green(self.chance)
            for step in steps:
                step["spec"]["strategy"] = before["spec"]["strategy"]
        if number >= 55:
            steps, waits = [steps[0], ABORT], [self.chance.choice([0.2, 0.5, 1.0, 1.5])]
        return before, steps, waits

    def record(self, namespace, case):
        return record_argo(self.controllers, namespace, *case)


ABORT = {"kind": "Rollout", "abort": True}
"""What `kubectl argo rollouts abort` does."""


def argo_case(chance):
    body = _workload("Deployment", stages=stages(chance), replicas=chance.randint(1, 7))
    body |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    body["spec"]["strategy"] = blue_green(chance) if chance.random() < 0.35 else canary(chance)
    steps = [version(body, 2, never=chance.random() < 0.2)]
    if chance.random() < 0.35:
        third = copy.deepcopy(chance.choice([steps[0], steps[0], body]))
        if chance.random() < 0.5:
            third = version(third, 3)
        else:
            third["spec"]["replicas"] = chance.randint(1, 7)
        steps.append(third)
    return body, steps, [chance.choice([0.3, 0.8, 1.5]) for _ in steps[1:]]


def blue_green(chance):
    strategy = {"activeService": "active", "scaleDownDelaySeconds": chance.choice([1, 2])}
    strategy |= chance.choice([{}, {}, {"autoPromotionSeconds": 1}, {"autoPromotionEnabled": False}])
    if chance.random() < 0.4:
        strategy["previewReplicaCount"] = 1
    return {"blueGreen": strategy}


def canary(chance):
    steps = []
    for weight in sorted(chance.sample([10, 20, 25, 34, 50, 60, 75, 90], chance.randint(0, 3))):
        steps += [{"setWeight": weight}, {"pause": {"duration": chance.choice([1, 1, 2])}}]
    if chance.random() < 0.2:
        steps.append({"pause": {}})
    return {"canary": {"steps": steps, **budget(chance, [0, 1, 2, "25%", "50%"], [0, 1, "25%"])["rollingUpdate"]}}


def record_argo(controllers, namespace, before, steps, waits):
    api = controllers.control_plane.api(ADMIN)
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "active", "namespace": namespace}}
    service["spec"] = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    api.expect("POST", f"/api/v1/namespaces/{namespace}/services", service)
    own = f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts"
    api.expect("POST", own, _placed(before, namespace))
    wait_for(
        lambda: api.expect("GET", f"{own}/web").get("status", {}).get("phase") == "Healthy", what="health", timeout_s=30
    )
    kinds = {"ReplicaSet": f"/apis/apps/v1/namespaces/{namespace}/replicasets", "Rollout": own}
    rows = fold_argo(watched(controllers, namespace, kinds, steps, waits))
    return {"before": {key: before["spec"][key] for key in ("replicas", "strategy")}, "rows": rows}


def fold_argo(events):
    sets = [event.body for event in events if event.kind == "ReplicaSet"]
    numbers = {body["metadata"]["labels"][HASH]: number_of(body["spec"]["template"]) for body in sets}
    rows = []
    for event in events:
        row = None if event.is_deleted else argo_row(event, numbers)
        if row and (not rows or rows[-1] != row):
            rows.append(row)
    return rows


def argo_row(event, numbers):
    body, status = event.body, event.body.get("status", {})
    number, replicas = number_of(body["spec"]["template"]), body["spec"]["replicas"]
    if event.kind == "ReplicaSet":
        delayed = "scale-down-deadline" in body["metadata"].get("annotations", {})
        return ["set", number, replicas, status.get("replicas", 0), status.get("availableReplicas", 0), delayed or None]
    active = status.get("blueGreen") or {}
    versions = [numbers.get(status.get(name), 0) for name in ("stableRS", "currentPodHash")]
    pauses = [one["reason"] for one in status.get("pauseConditions") or []]
    flags = [status.get("controllerPause", False), status.get("abort", False)]
    checkpoint = active.get("scaleUpPreviewCheckPoint", False)
    selected = numbers.get(active.get("activeSelector"), 0)
    return [
        "rollout",
        number,
        replicas,
        *versions,
        status.get("currentStepIndex"),
        pauses,
        *flags,
        selected,
        checkpoint,
    ]


# Flagger


class FlaggerRecorder(Recorder):
    """Canaries and A/B by Ingress annotations, blue-greens by Services alone, and those that fail or never get ready."""

    versions = {"flagger": tools.FLAGGER.version}

    def __init__(self, controllers, chance):
        super().__init__(controllers, chance)
        Flagger(controllers, binaries.obtain(tools.FLAGGER)).start()
        self.judge = Judge()

    def draw(self, number):
        chance, kind = self.chance, ("canary", "blue-green", "abort")[number % 3]
        way = chance.choice(["canary", "blue-green", "a-b"]) if kind == "abort" else kind
        analysis = {"interval": "10s", "threshold": chance.choice([1, 2, 3]), **WAYS[way](chance)}
        spec = {
            "provider": "kubernetes" if way == "blue-green" and chance.random() < 0.6 else "nginx",
            "analysis": analysis,
        }
        fails_from, never = None, False
        if kind == "abort":
            never = chance.random() < 0.3
            fails_from = None if never else chance.randint(0, 2)
        if never:
            spec["progressDeadlineSeconds"] = 20
        before = _workload(
            "Deployment", stages=stages(chance), replicas=chance.randint(1, 3), progressDeadlineSeconds=60
        )
        after = version(before, 2, never=never)
        if chance.random() < 0.7:
            del after["spec"]["replicas"]
        return before, after, spec, fails_from

    def is_disturbed(self, case):
        """The Deployment controller or a watch lagged behind or broke: more time passed than pods and looks need."""
        rows = [row for row in case["rows"] if row[1] == "canary"]
        late = [after[0] - before[0] for before, after in itertools.pairwise(rows)]
        primary = [row[2] for row in case["rows"] if row[1] == "web-primary"]
        if rows[-1][2] == "Succeeded" and primary[-1] != 2:
            return True
        return rows[-1][2] not in ("Succeeded", "Failed") or (not case["never_ready"] and max(late) > 14)

    def record(self, namespace, case):
        before, after, spec, fails_from = case
        api = self.controllers.control_plane.api(ADMIN)
        own = f"/apis/flagger.app/v1beta1/namespaces/{namespace}/canaries"
        deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        api.expect("POST", deployments, _placed(before, namespace))
        api.expect("POST", f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", ingress(namespace))
        api.expect("POST", own, canary_of(namespace, spec, self.judge.url(namespace, fails_from)))
        phase = lambda: api.expect("GET", f"{own}/web").get("status", {}).get("phase")  # noqa: E731  # said once, asked twice
        wait_for(lambda: phase() == "Initialized", what="Initialized", timeout_s=120)
        kinds = {"Canary": own, "Deployment": deployments}
        over = lambda: phase() in ("Succeeded", "Failed")  # noqa: E731  # the same
        events = watched(self.controllers, namespace, kinds, [after], [], over)
        return {
            "canary": {**spec, "replicas": before["spec"]["replicas"], "replicas_in_git": "replicas" in after["spec"]},
            "stages": before["spec"]["template"]["metadata"]["annotations"],
            "fails_from": fails_from,
            "never_ready": never_ready(after),
            "rows": fold_flagger(events),
        }


def progressive(chance):
    if chance.random() < 0.3:
        analysis = {"stepWeights": chance.choice([[10, 50], [20, 40, 80], [100], [5, 30, 60]])}
    else:
        analysis = {"stepWeight": chance.choice([20, 25, 34, 50]), "maxWeight": chance.choice([50, 60, 100])}
    if chance.random() < 0.3:
        analysis["stepWeightPromotion"] = chance.choice([30, 50])
    return analysis


def by_match(chance):
    return {"iterations": chance.randint(1, 3), "match": [{"headers": {"x-canary": {"exact": "always"}}}]}


WAYS = {
    "canary": progressive,
    "blue-green": lambda chance: {"iterations": chance.randint(1, 4)},
    "a-b": by_match,
}


def canary_of(namespace, spec, url):
    spec = copy.deepcopy(spec)
    spec["analysis"]["webhooks"] = [{"name": "judge", "type": "rollout", "url": url, "timeout": "5s"}]
    spec |= {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "service": {"port": 80}}
    if spec["provider"] == "nginx":
        spec["ingressRef"] = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"}
    metadata = {"name": "web", "namespace": namespace}
    return {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": metadata, "spec": spec}


def ingress(namespace):
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec = {"ingressClassName": "nginx", "rules": [{"host": "web.example.com", "http": {"paths": [path]}}]}
    metadata = {"name": "web", "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


class Judge:
    """Answers Flagger's webhooks: lets pass until it has been asked so many times."""

    def __init__(self):
        judge, self.asked = self, {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                _, name, limit = self.path.split("/")
                judge.asked[name] = judge.asked.get(name, 0) + 1
                self.send_response(200 if limit == "none" or judge.asked[name] <= int(limit) else 500)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name, fails_from):
        return f"http://127.0.0.1:{self.server.server_address[1]}/{name}/{'none' if fails_from is None else fails_from}"


def fold_flagger(events):
    """Rows without and with the time: ["canary", phase, weight, iterations, failed checks] and ["deployment", name, version, ..]."""
    rows, latest = [], {}
    for event in events:
        body, status = event.body, event.body.get("status", {})
        if event.kind == "Canary":
            row = [
                "canary",
                status.get("phase"),
                *(status.get(name, 0) for name in ("canaryWeight", "iterations", "failedChecks")),
            ]
        else:
            counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
            row = [body["metadata"]["name"], number_of(body["spec"]["template"]), body["spec"]["replicas"], *counts]
        if latest.get(row[0]) != row:
            latest[row[0]] = row
            rows.append([round(event.t_s, 2), *row])
    return rows


RECORDERS = {
    "deployments": DeploymentRecorder,
    "statefulsets": StatefulSetRecorder,
    "daemonsets": DaemonSetRecorder,
    "argo_rollouts": ArgoRecorder,
    "flagger": FlaggerRecorder,
}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
