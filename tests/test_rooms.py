"""Which room imports which: the walls between packages, the order inside them, and the drawings of both."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("bundle", "service", "trainer", "benchmarks", "tests")
TRAINER_JOB = ROOT / "service" / "jobs" / "run.py"  # the one place of the service that imports the trainer
DRAWING = ROOT / "docs" / "architecture.md"

# From the ground up: a room imports only rooms that stand before it. A module at the root is a room too.
ORDER = {
    "service": (
        *("errors", "logs", "packages", "machine_code", "metrics", "settings", "misspelt", "tenants"),
        *("keys", "audit", "rates", "traces", "startup"),
        *("admission", "audio", "stores", "inference"),
        *("generation", "diarization", "speakers", "listening", "calibration"),
        *("jobs", "bulk", "eraser", "replicas"),
        *("runtime", "page", "api", "app", "connections", "server"),
        *("address", "doctor", "client", "verbs", "key_commands", "cli", "__main__"),
    ),
    "trainer": (
        *("machine", "metrics", "terminal", "pages"),
        *("audio", "downstream", "scoring", "training"),
        *("bundles", "peers", "syntone", "corpora", "evaluate"),
        *("barlow_twins", "autodecompose", "gaae"),
        *("finetuning", "models", "pretrain", "exported"),
        *("reproduce", "cli", "__main__"),
    ),
}


def imported(path: Path) -> set[str]:
    """The modules that a file imports, also inside functions and for type checkers only."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import: name the package"
            assert node.module is not None
            modules |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            modules |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    return modules


def files(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def packages_of(path: Path) -> set[str]:
    return {module.partition(".")[0] for module in imported(path)}


def room(package: str, module: str) -> str | None:
    """The room of `package` that a module is, or lies in; None: it is another package's, or no module."""
    parts = module.split(".")
    if parts[0] != package or len(parts) < 2:
        return None
    place = ROOT / package / parts[1]
    return parts[1] if place.is_dir() or place.with_suffix(".py").is_file() else None


def arrows(package: str) -> dict[str, set[str]]:
    """Each room of a package → the rooms it imports."""
    rooms: dict[str, set[str]] = {}
    for path in files(package):
        inside = path.relative_to(ROOT / package)
        if inside == Path("__init__.py"):
            continue
        name = inside.parts[0].removesuffix(".py")
        targets = {room(package, module) for module in imported(path)} - {None, name}
        rooms.setdefault(name, set()).update(target for target in targets if target)
    return rooms


def between_packages() -> dict[str, set[str]]:
    """Each package → the packages it imports, without the job that runs the trainer."""
    houses = PACKAGES[:-1]
    return {
        package: {
            other
            for path in files(package)
            if path != TRAINER_JOB
            for other in packages_of(path) & set(houses) - {package}
        }
        for package in houses
    }


def reached(rooms: dict[str, set[str]], start: str) -> set[str]:
    """Every room that `start` imports, through others too."""
    seen: set[str] = set()
    waiting = list(rooms[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += rooms[name]
    return seen


def shortest(rooms: dict[str, set[str]]) -> set[tuple[str, str]]:
    """The arrows that no path of other arrows stands for."""
    return {
        (name, target)
        for name, targets in rooms.items()
        for target in targets
        if not any(target in reached(rooms, other) for other in targets - {target})
    }


def drawn(name: str) -> set[tuple[str, str]]:
    """The arrows of a drawing in docs/architecture.md. A dotted one is an exception and does not count."""
    pattern = rf"<!-- rooms of {name} -->\n```mermaid\n(.*?)```"
    (block,) = re.findall(pattern, DRAWING.read_text(), flags=re.DOTALL)
    return set(re.findall(r"^ *(\w+) --> (\w+)$", block, flags=re.MULTILINE))


@pytest.mark.parametrize("package", ORDER)
def test_rooms_import_only_what_stands_below_them(package: str) -> None:
    order = ORDER[package]
    rooms = arrows(package)
    assert set(rooms) == set(order)
    upwards = [
        f"{package}/{name} imports {package}/{target}"
        for name, targets in rooms.items()
        for target in targets
        if order.index(target) > order.index(name)
    ]
    assert not upwards


@pytest.mark.parametrize("name", ["twofold", *ORDER])
def test_the_drawing_is_true(name: str) -> None:
    true = shortest(between_packages() if name == "twofold" else arrows(name))
    lines = "\n".join(f"    {start} --> {end}" for start, end in sorted(true))
    assert drawn(name) == true, f"docs/architecture.md has to draw:\n{lines}"


def test_a_drawing_leaves_out_only_what_a_longer_path_says() -> None:
    rooms: dict[str, set[str]] = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"b"}}
    assert shortest(rooms) == {("a", "b"), ("b", "c"), ("d", "b")}


def test_the_contract_needs_numpy_and_pydantic_only() -> None:
    allowed = {"bundle", "numpy", "pydantic"} | sys.stdlib_module_names
    assert {name for path in files("bundle") for name in packages_of(path) - allowed} == set()


def test_the_service_knows_no_torch_and_only_a_job_knows_the_trainer() -> None:
    importers = {path: packages_of(path) & {"torch", "torchaudio", "trainer"} for path in files("service")}
    assert {path: names for path, names in importers.items() if names} == {TRAINER_JOB: {"torch", "trainer"}}


def test_the_trainer_knows_no_service() -> None:
    assert [path for path in files("trainer") if "service" in packages_of(path)] == []


@pytest.mark.parametrize("package", PACKAGES[:-1])
def test_nobody_imports_tests_and_only_tests_import_benchmarks(package: str) -> None:
    outside = {"benchmarks", "tests"} - {package}
    assert [path for path in files(package) if packages_of(path) & outside] == []


def test_the_trainer_has_few_modules_at_its_root() -> None:
    assert len(list((ROOT / "trainer").glob("*.py"))) <= 8
