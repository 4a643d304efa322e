"""What docs, docstrings and comments name exists: files, modules, commands, settings, links."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from service.settings import Settings

ROOT = Path(__file__).parents[1]
PACKAGES = ("service", "trainer", "benchmarks", "bundle", "examples", "tests")
FOLDERS = (*PACKAGES, "docs", "deploy")
PLACES = (*FOLDERS, "README.md", "CONTRIBUTING.md", "CHANGELOG.md")

#: Files of bundles, run folders, corpora and examples, and one of another library.
NOT_HERE = {"bundle.json", "run.json", "examples.json", "out.json", "s09.md", "voice_encoder.py"}
#: Variables of the environment that are no settings of the service.
OTHER_VARIABLES = {"TWOFOLD_DATA"}

_FILE = re.compile(
    r"(?<![\w/.<>{}*…$-])(?:\.\./)*((?:[\w-][\w.-]*/)*[\w-][\w.-]*\.(?:py|md|sh|yml|toml|json))(?![\w/*<-])"
)
_FOLDER = re.compile(rf"(?<![\w/.<>{{}}*…$-])(?:{'|'.join(FOLDERS)})/[\w./-]*")
_MODULE = re.compile(r"(?<![\w/.<>{}*…$-])(?:service|trainer|benchmarks|bundle|examples)(?:\.\w+)+")
_COMMAND = re.compile(
    r"(?:python -m (service|trainer|benchmarks)(?![\w.])|^`(trainer|benchmarks|twofold)(?= ))([^`|;&#\n]*)"
)
_MAKE = re.compile(r"(?<![\w-])make ([a-z][\w-]*)")
_VARIABLE = re.compile(r"\bTWOFOLD_[A-Z_]+[A-Z]\b")
_SPAN = re.compile(r"`[^`\n]+(?:\n[^`\n]+)?`")
_COMMENT = re.compile(r"(?:^|  )#:? ?(.*)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@cache
def tracked() -> tuple[str, ...]:
    """Paths of all files that git knows or would add."""
    listed = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    return tuple(path for path in listed.splitlines() if (ROOT / path).exists())


@cache
def endings() -> frozenset[str]:
    """The end of every tracked path, from each of its folders on: a name may leave out those above."""
    split = [path.split("/") for path in tracked()]
    return frozenset("/".join(parts[start:]) for parts in split for start in range(len(parts)))


@cache
def command_line(package: str) -> Any:
    """The command of `python -m package`, as click sees it. `twofold` is the service's."""
    package = "service" if package == "twofold" else package
    return typer.main.get_command(importlib.import_module(f"{package}.cli").app)


def texts(path: str) -> Iterator[tuple[str, bool]]:
    """Pieces of a file that are written for people; True where a piece is code through and through."""
    source = (ROOT / path).read_text()
    if path.endswith(".md"):
        yield from ((block, True) for block in _FENCE.findall(source))
        yield _FENCE.sub("", source), False
    elif path.endswith(".sh"):
        yield source, True
    else:
        yield "\n".join(_COMMENT.findall(source)), False
        yield from _strings(source)


def _strings(source: str) -> Iterator[tuple[str, bool]]:
    """Docstrings whole; of other strings, such as messages and help, what stands in backticks."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in docstrings:
                yield node.value, False
            else:
                yield from ((span, False) for span in _SPAN.findall(node.value))


def missing(text: str, code: bool) -> Iterator[str]:
    """What `text` names and is not there; `code` where it is a block of commands."""
    for file in _FILE.findall(text):
        if Path(file).name not in NOT_HERE and file not in endings():
            yield file
    for folder in _FOLDER.findall(text):
        if not (ROOT / folder.rstrip("./-")).exists():
            yield folder
    for module in _MODULE.findall(text):
        if module.rpartition(".")[2] not in ("py", "json") and not _is_importable(module):
            yield module
    for variable in _VARIABLE.findall(text):
        known = variable.removeprefix("TWOFOLD_").lower() in Settings.model_fields
        if not known and variable not in OTHER_VARIABLES:
            yield variable
    for piece in [text] if code else _SPAN.findall(text):
        yield from (f"make {target}" for target in _MAKE.findall(piece) if target not in _targets())
        line = piece.replace("\\\n", " ") if code else " ".join(piece.split())
        for package, bare, arguments in _COMMAND.findall(line):
            if wrong := _wrong_argument(command_line(package or bare), arguments.split()):
                yield f"{package or bare} {arguments.strip()}: {wrong}"


def _is_importable(module: str) -> bool:
    """Whether a dotted name is a module, or a name that its module binds."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:length])
        file = base.with_suffix(".py") if base.with_suffix(".py").is_file() else base / "__init__.py"
        if file.is_file():
            bound = re.compile(rf"\b{parts[length]}\b") if length < len(parts) else re.compile("")
            return bool(bound.search(file.read_text()))
    return False


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _wrong_argument(command: Any, arguments: list[str]) -> str | None:
    """The first verb or option of a command line that the command does not have."""
    while hasattr(command, "commands") and arguments and re.fullmatch(r"[a-z][\w-]*", arguments[0]):
        verb, *arguments = arguments
        if verb not in command.commands:
            return verb
        command = command.commands[verb]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options = (re.match(r"--[a-z][\w-]*", argument) for argument in arguments)
    return next((option[0] for option in options if option and option[0] not in {*known, "--help"}), None)


def files(place: str, *endings: str) -> list[str]:
    """The tracked files of one name, or in one folder."""
    return [
        path
        for path in tracked()
        if (path == place or path.startswith(f"{place}/")) and path.endswith(endings)
    ]


def test_what_is_not_there_is_noticed() -> None:
    names = ("service/nowhere.py", "nowhere.md", "tests/nowhere/", "trainer.nowhere.it", "TWOFOLD_NOWHERE")
    commands = ("make nowhere", "trainer nowhere", "python -m trainer evaluate --nowhere 3")
    spans = "".join(f"`{command}`" for command in commands)
    assert set(missing(f"See {', '.join(names)}. Type {spans}.", False)) == {
        *names,
        "make nowhere",
        "trainer nowhere: nowhere",
        "trainer evaluate --nowhere 3: --nowhere",
    }
    assert not list(
        missing("See service/app.py, service.app.create_app, `make test` and `trainer export --out`", False)
    )


@pytest.mark.parametrize("place", PLACES)
def test_what_is_named_exists(place: str) -> None:
    read = ((path, *piece) for path in files(place, ".md", ".sh", ".py") for piece in texts(path))
    assert not [f"{path}: {name}" for path, text, code in read for name in missing(text, code)]


def _anchors(markdown: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", markdown), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("place", PLACES)
def test_links_of_pages_lead_somewhere(place: str) -> None:
    broken = []
    for page in (ROOT / path for path in files(place, ".md")):
        for link in _LINK.findall(_FENCE.sub("", page.read_text())):
            target, _, anchor = link.partition("#")
            file = page.parent / target if target else page
            if "://" not in link and not (
                file.exists() and (not anchor or anchor in _anchors(file.read_text()))
            ):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert not broken
