"""The rules of the house (CONTRIBUTING.md) as small programs: layers, seams, sizes, names, start-up."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src" / "netarium").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
LONGEST_FILE_LINES = 500
VAGUE_NAMES = re.compile(r"^_?(utils?|helpers?|common|managers?|misc|base2|.*_new|.*_old)$")
HEAVY = ("numpy", "numba", "pyarrow", "matplotlib", "networkx", "scipy", "rustworkx", "duckdb", "pandas")
SKIPS = re.compile(r"(skip|skipif|xfail|importorskip)$")


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 20
    assert len(TESTS) > 5


def test_a_stage_imports_only_from_the_stages_before_it() -> None:
    lint = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_only_the_seam_imports_numba() -> None:
    seam = {f"src/netarium/run/kernel/{name}.py" for name in ("compiler", "machinecode")}
    importers = {
        path
        for path in SOURCES
        if any(module.split(".")[0] in ("numba", "llvmlite") for module in imported_modules(parsed(path)))
    }
    assert {named(path) for path in importers} == seam


def test_only_the_command_line_prints() -> None:
    printed = [
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        if "operate" not in path.parts
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not printed


def test_first_line_says_what_the_file_is_for() -> None:
    silent = []
    for path in (*SOURCES, *TESTS, *EXAMPLES):
        first = (ast.get_docstring(parsed(path), clean=False) or "").split("\n")[0].split()
        if len(first) < 3 and path.read_bytes().strip():
            silent.append(named(path))
    assert not silent


def test_no_file_is_too_long() -> None:
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE_LINES}
    assert not long, "split them by idea"


def test_names_say_something() -> None:
    vague = [named(path) for path in (*SOURCES, *TESTS) if VAGUE_NAMES.match(path.stem)]
    vague += [named(path.parent) for path in SOURCES if VAGUE_NAMES.match(path.parent.name)]
    assert not vague


def test_no_variable_is_called_slice() -> None:
    shadowing = [
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Name) and node.id == "slice" and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.arg) and node.arg == "slice")
    ]
    assert not shadowing


def test_nothing_is_left_open() -> None:
    left = []
    for path in SOURCES:
        with tokenize.open(path) as source:
            left += [
                f"{named(path)}:{token.start[0]} {token.string}"
                for token in tokenize.generate_tokens(source.readline)
                if token.type == tokenize.COMMENT and re.search(r"\b(TODO|FIXME|XXX)\b", token.string)
            ]
    assert not left


def test_a_skipped_test_says_why() -> None:
    silent = []
    for path in TESTS:
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if SKIPS.search(node.func.attr) and ast.unparse(node.func).startswith("pytest."):
                has_reason = any(keyword.arg == "reason" for keyword in node.keywords)
                if not has_reason and not (node.func.attr == "skip" and node.args):
                    silent.append(f"{named(path)}:{node.lineno}")
    assert not silent


def test_nothing_names_one_machine() -> None:
    places = re.compile(r"(?<![\w.])/(work|root|home|tmp)/")
    texts = [*SOURCES, *EXAMPLES, *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "Makefile"]
    found = [
        f"{named(path)}:{number}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if places.search(line)
    ]
    assert not found


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has imported after `code`."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {module.split(".")[0] for module in ran.stderr.splitlines()}


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert not modules_after("import netarium") & {*HEAVY, "pydantic", "ruamel"}


@pytest.mark.parametrize("arguments", ["--help", "run --help", "topology --help", "version"])
def test_help_imports_nothing_heavy(arguments: str) -> None:
    code = f"""
from netarium.operate.cli import main
sys.argv = ["netarium", *{arguments.split()!r}]
try:
    main()
except SystemExit as left:
    assert left.code == 0, left.code"""
    light = {*HEAVY, "rich", "ruamel"} | ({"pydantic"} if arguments == "--help" else set())
    imported = modules_after(code) & light
    assert not imported, f"netarium {arguments} imports {imported}"


def test_constraints_name_versions_and_no_address() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert not [line for line in pins if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.]*", line)]


def test_every_requirement_is_pinned() -> None:
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = [entry for group in project["project"]["optional-dependencies"].values() for entry in group]
    wanted = {*project["project"]["dependencies"], *extras, *project["build-system"]["requires"]}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pinned.items()}
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in constraints.txt"
        assert version in requirement.specifier, f"{requirement}: constraints.txt has {version}"
