"""The deployment files name what exists, and keep the promises of docs/deployment.md."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from redis import Redis

from service.settings import Settings
from tests.conftest import StartRedis

TOP = Path(__file__).parents[1]
COMPOSE, GPU = TOP / "docker-compose.yml", TOP / "deploy" / "compose.gpu.yml"
DOCKERFILES = sorted((TOP / "deploy").glob("Dockerfile.*"))
OURS = ("api", "worker")


def services(file: Path) -> dict[str, dict[str, Any]]:
    described: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text())["services"]
    return described


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """(instruction, rest) in order, with continued lines joined."""
    text = re.sub(r"\\\n\s*", "", dockerfile.read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


@pytest.mark.parametrize("file", [COMPOSE, GPU, *DOCKERFILES], ids=lambda path: path.name)
def test_every_setting_exists(file: Path) -> None:
    known = {f"TWOFOLD_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"TWOFOLD_\w+", file.read_text())) <= known


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_not_ignored(dockerfile: Path) -> None:
    let_in = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [
        source
        for instruction, rest in instructions(dockerfile)
        if instruction == "COPY" and not rest.startswith("--from=")
        for source in shlex.split(rest)[:-1]
    ]
    assert "service" in copied
    for source in copied:
        assert (TOP / source).exists(), source
        assert source in let_in


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_images_are_lean_and_not_root(dockerfile: Path) -> None:
    steps = instructions(dockerfile)
    bases = [rest for instruction, rest in steps if instruction == "FROM"]
    assert len(bases) == 2  # what builds stays behind
    assert all(base.startswith("python:3.11-slim") for base in bases)
    assert [rest for instruction, rest in steps if instruction == "USER"] == ["10001:10001"]
    (command,) = [rest for instruction, rest in steps if instruction == "CMD"]
    assert command in ('["serve"]', '["worker"]')


def test_extras_exist_and_the_api_has_no_torch() -> None:
    extras = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    chosen = {}
    for dockerfile in DOCKERFILES:
        arguments = dict(
            rest.split("=", 1) for name, rest in instructions(dockerfile) if name == "ARG" and "=" in rest
        )
        chosen[dockerfile.suffix.removeprefix(".")] = [arguments["EXTRAS"]]
    for service, definition in services(GPU).items():
        chosen[service].append(definition["build"]["args"]["EXTRAS"])
    for service, lists in chosen.items():
        for names in lists:
            assert set(names.split(",")) <= set(extras), service
            packages = [package for name in names.split(",") for package in extras[name]]
            assert any(package.startswith("torch==") for package in packages) == (service == "worker")


def test_every_package_is_pinned_within_what_is_allowed() -> None:
    """`make lock` writes the pins, which make, CI and the images use."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    pins = [Requirement(line) for line in (TOP / "constraints.txt").read_text().splitlines() if "==" in line]
    requirements = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    for python in ("3.11", "3.12", "3.13"):
        place = {"python_version": python, "python_full_version": f"{python}.9"}
        versions = {
            canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
            for pin in pins
            if pin.marker is None or pin.marker.evaluate(place)
        }
        for wanted in map(Requirement, requirements):
            assert versions[canonicalize_name(wanted.name)] in wanted.specifier, wanted
    for file in [TOP / "Makefile", *DOCKERFILES]:
        installs = [line for line in file.read_text().splitlines() if "pip install" in line]
        unpinned = [line for line in installs if "--constraint constraints.txt" not in line]
        assert all(line.endswith(" uv") for line in unpinned), file


def test_updates_are_proposed_for_all_that_is_pinned() -> None:
    updates = yaml.safe_load((TOP / ".github" / "dependabot.yml").read_text())["updates"]
    folders = {update["package-ecosystem"]: update["directory"] for update in updates}
    assert folders == {"pip": "/", "docker": "/deploy", "docker-compose": "/"}


def test_build_arguments_are_known() -> None:
    for service, definition in services(GPU).items():
        built = TOP / services(COMPOSE)[service]["build"]["dockerfile"]
        declared = {rest.split("=")[0] for name, rest in instructions(built) if name == "ARG"}
        assert definition["build"]["args"].keys() <= declared


@pytest.mark.parametrize("name", services(COMPOSE))
def test_services_are_confined(name: str) -> None:
    service = services(COMPOSE)[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["restart"] == "unless-stopped"


def test_services_share_what_they_have_to() -> None:
    file, parts = yaml.safe_load(COMPOSE.read_text()), services(COMPOSE)
    for name in OURS:
        assert parts[name]["volumes"] == ["state:/state"]
        assert "back" in parts[name]["networks"]
        assert (TOP / parts[name]["build"]["dockerfile"]) in DOCKERFILES
        assert parts[name]["environment"]["TWOFOLD_REDIS_URL"] == "redis://redis:6379/0"
        assert parts[name]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    for service in parts.values():
        assert {volume.split(":")[0] for volume in service["volumes"]} <= file["volumes"].keys()
        assert set(service["networks"]) <= file["networks"].keys()
    assert parts["redis"]["networks"] == ["back"]
    assert file["networks"]["back"]["internal"] is True
    assert "ports" not in parts["redis"]
    assert "ports" not in parts["worker"]


def test_redis_as_deployed_keeps_everything(start_redis: StartRedis) -> None:
    """A real redis-server with the options of the compose file."""
    _, run = redis_command()
    program, *options = shlex.split(run)
    assert program == "redis-server"
    server = start_redis(*options)
    with Redis.from_url(server.url) as client:
        config = client.config_get("appendonly", "appendfsync", "save", "maxmemory-policy")
        assert config == {
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        client.set("a", 1)
    server.kill()
    server.start()
    with Redis.from_url(server.url) as client:
        assert client.get("a") == b"1"
    server.stop()


def test_redis_as_deployed_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    left = [tmp_path / "temp-rewriteaof-bg-71.aof", tmp_path / "temp-71.rdb"]
    data = [tmp_path / "dump.rdb", tmp_path / "appendonlydir" / "appendonly.aof.1.base.rdb"]
    for file in (*left, *data):
        file.write_bytes(b"a voice")
    tidy, _ = redis_command()
    subprocess.run(["sh", "-c", tidy], cwd=tmp_path, check=True)
    assert [file.exists() for file in (*left, *data)] == [False, False, True, True]


def redis_command() -> tuple[str, str]:
    """What the compose file runs before Redis, and Redis itself."""
    shell, option, line = shlex.split(services(COMPOSE)["redis"]["command"])
    assert (shell, option) == ("sh", "-c")
    tidy, run = line.split("; exec ")
    return tidy, run


@pytest.mark.parametrize("files", [[COMPOSE], [COMPOSE, GPU]], ids=["cpu", "gpu"])
def test_docker_compose_accepts_the_files(files: list[Path]) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("the Docker client has no compose plugin here")
    chosen = [argument for file in files for argument in ("-f", str(file))]
    done = subprocess.run(
        [docker, "compose", *chosen, "config", "--quiet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
