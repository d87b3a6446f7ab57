"""The documentation is complete and true to the program: pages of kinds, links, commands, trials it names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from netarium import catalog
from netarium.describe.loader import loads
from netarium.operate import trialfile

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("examples/**/*.md")),
]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:src/netarium|tests|docs|examples|bench)/[\w./-]+)`")
MODULE = re.compile(r"`((?:describe|compile|run|measure|store|show|operate)/[\w./-]+\.py)`")


KINDS = [kind for family in catalog.KINDS.values() for kind in family.values()]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.family}-{kind.word}")
def test_every_kind_has_its_page(kind: catalog.Kind) -> None:
    page = ROOT / "docs" / kind.page
    assert page.is_file()
    assert re.search(rf"\b{re.escape(kind.word)}\b", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("family", ["services", "transports", "queues", "congestions"])
def test_a_page_of_a_kind_has_all_its_parts(family: str) -> None:
    for word in catalog.words(family):
        text = (ROOT / "docs" / catalog.kind(family, word).page).read_text(encoding="utf-8")
        headings = re.findall(r"(?m)^## (.+)$", text)
        wanted = {"Scope", "Parameters", "Deviations", "Validation"} - set(headings)
        if word != "user":  # its page is a manual
            assert not wanted, f"{family}/{word}: no {wanted}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_resolve(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if "://" not in target and not target.startswith("#"):
            file, _, anchor = target.partition("#")
            found = (page.parent / file).resolve()
            assert found.exists(), f"{name_of(page)} links to {target}"
            if anchor and found.suffix == ".md":
                assert anchor in anchors(found), f"{name_of(page)} links to {target}"


def anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page get."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in PATH.findall(text.replace("NAME", "*")):
        assert (ROOT / name).exists(), f"{name_of(page)} names {name}"
    for name in MODULE.findall(text.replace("NAME", "*")):
        assert (ROOT / "src/netarium" / name).exists(), f"{name_of(page)} names {name}"


def commands(page: Path) -> list[list[str]]:
    """Every `netarium …` and `make …` line in the code blocks of a page, without comments."""
    blocks = re.findall(r"```(?:sh|bash|console)?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [
        shlex.split(line, comments=True)
        for line in lines
        if line.startswith(("netarium ", "make ")) and "…" not in line
    ]


WITH_COMMANDS = [ROOT / "README.md", ROOT / "docs/tutorial.md", ROOT / "docs/tutorial-real-hosts.md"]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_commands_of_a_page_exist(page: Path) -> None:
    import typer

    from netarium.operate.cli import app

    known = typer.main.get_command(app)
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    found = commands(page)
    assert found
    for words in found:
        if words[0] == "make":
            assert set(words[1:]) <= targets, words
            continue
        command, rest = known.commands[words[1]], words[2:]  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            command, rest = command.commands[rest[0]], rest[1:]
        options = {
            name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in rest if word.startswith("--")} <= options, words


def test_every_bundled_trial_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in trialfile.examples() if f"`{name}`" not in text] == []


YAML = [
    pytest.param(block, id=f"{name_of(page)}-{index}")
    for page in sorted((ROOT / "docs/kinds").rglob("*.md"))
    for index, block in enumerate(
        re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    )
    if block.startswith("trial:")
]


@pytest.mark.parametrize("text", YAML)
def test_whole_trials_on_pages_load(text: str) -> None:
    assert loads(text, folder=ROOT / "examples")
