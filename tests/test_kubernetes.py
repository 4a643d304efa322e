"""The chart and what it renders to: valid for Kubernetes, of one piece, and as safe as the compose file."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service.settings import Settings

TOP = Path(__file__).parents[1]
CHART, RENDERED = TOP / "deploy" / "helm", TOP / "deploy" / "kubernetes.yml"
VERSIONS = ("1.25", "1.33")  # the oldest that Chart.yaml allows, and a recent one


def objects() -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(RENDERED.read_text()) if document]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [found for found in objects() if found["kind"] in kinds]


def templates() -> dict[str, dict[str, Any]]:
    """The pods, by component."""
    workloads = of_kind("Deployment", "StatefulSet")
    return {w["metadata"]["name"].removeprefix("twofold-"): w["spec"]["template"] for w in workloads}


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(version: str) -> None:
    for found in objects():
        kubernetes_validate.validate(found, version, strict=True)


def test_what_refers_to_something_finds_it() -> None:
    claims = {found["metadata"]["name"] for found in of_kind("PersistentVolumeClaim")}
    for found in of_kind("Deployment", "StatefulSet"):
        spec = found["spec"]
        labels, pod = spec["template"]["metadata"]["labels"], spec["template"]["spec"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
        made = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())]
        volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
        (container,) = pod["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} <= {*volumes, *made}
        used = (volume.get("persistentVolumeClaim") for volume in volumes.values())
        assert {claim["claimName"] for claim in used if claim} <= claims
    for service in of_kind("Service"):
        (template,) = [
            template
            for template in templates().values()
            if service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        ]
        named = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
    assert {service["metadata"]["name"] for service in of_kind("Service")} == {"twofold", "twofold-redis"}


def test_pods_are_confined_and_share_the_state() -> None:
    for name, template in templates().items():
        pod = template["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        if name != "redis":  # a Service named twofold would set TWOFOLD_PORT
            assert pod["enableServiceLinks"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert (template["metadata"]["labels"].get("twofold/state") == "shared") == (name != "redis")


def test_settings_exist_and_redis_keeps_everything() -> None:
    known = {f"TWOFOLD_{name.upper()}" for name in Settings.model_fields}
    for file in [RENDERED, *CHART.rglob("*.yaml"), *CHART.rglob("*.tpl")]:
        assert set(re.findall(r"TWOFOLD_\w+", file.read_text())) <= known, file
    composed = yaml.safe_load((TOP / "docker-compose.yml").read_text())["services"]["redis"]["command"]
    assert templates()["redis"]["spec"]["containers"][0]["args"] == shlex.split(composed)


def test_the_chart_renders_to_what_is_here() -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not installed: this test needs it")
    assert subprocess.run([helm, "lint", str(CHART)], check=False).returncode == 0
    command = [helm, "template", "twofold", str(CHART)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rendered = sorted(
        map(yaml.safe_dump, filter(None, yaml.safe_load_all(done.stdout))),
    )
    assert rendered == sorted(map(yaml.safe_dump, objects()))
