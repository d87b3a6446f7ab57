"""Commands that need no engine: new, topology, schema, version, doctor, ls, show, and mistakes in a trial."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

NETARIUM = Path(sys.executable).with_name("netarium")


def test_new_writes_a_trial_that_loads(cli, folder: Path) -> None:
    made = cli("new", "mylab", "--topology", "topohub:sndlib/germany50", "--services", "bulk,stream")
    assert made.exit_code == 0, made.stderr
    assert "netarium check mylab.trial.yml" in made.stdout
    from netarium.operate.runner import Request, load

    assert load(Request("mylab")).trial == "mylab"


def test_new_never_writes_over_a_file_unless_told_to(cli, trial: Path) -> None:
    before = trial.read_text()
    refused = cli("new", "lab")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert trial.read_text() == before
    assert cli("new", "lab", "--force").exit_code == 0
    assert trial.read_text() != before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--topology", "dumbell"], "did you mean 'dumbbell'?"),
        (["--services", "bulk,streem"], "did you mean 'stream'?"),
    ],
)
def test_new_names_the_nearest_kind(cli, folder: Path, arguments: list[str], words: str) -> None:
    made = cli("new", "mylab", *arguments)
    assert made.exit_code == 2
    assert words in made.stderr
    assert list(folder.iterdir()) == []


def test_topology_list_and_show(cli) -> None:
    names = [row["name"] for row in json.loads(cli("topology", "list", "--json").stdout)]
    assert {"dumbbell", "fat_tree", "reference_backbone"} <= set(names)
    assert "dumbbell" in cli("topology", "list").stdout
    facts = json.loads(cli("topology", "show", "fat_tree:4", "--json").stdout)
    assert (facts["nodes"], facts["kinds"]["host"]) == (36, 16)


def test_topology_show_keeps_what_was_assumed_apart(cli) -> None:
    shown = cli("topology", "show", "grid")
    assert "links" in shown.stdout
    assert "assumed: queue not stated" in shown.stderr


@pytest.mark.parametrize("suffix", ["json", "graphml", "dot", "svg"])
def test_topology_convert(cli, folder: Path, suffix: str) -> None:
    assert cli("topology", "convert", "ring:5", f"ring.{suffix}").exit_code == 0
    assert (folder / f"ring.{suffix}").stat().st_size > 100


def test_topology_draw(cli, folder: Path) -> None:
    assert cli("topology", "draw", "ring:5").exit_code == 0
    assert (folder / "topology.svg").read_text().startswith(("<?xml", "<svg"))


def test_a_network_of_the_library_is_near(cli) -> None:
    pytest.importorskip("topohub", reason="topohub is an extra")
    result = cli("topology", "show", "abilen")
    assert result.exit_code == 2
    assert "did you mean 'topohub:topozoo/Abilene'?" in result.stderr


def test_a_mode_that_is_none_is_a_mistake_of_its_option(cli, trial: Path) -> None:
    result = cli("run", str(trial), "--mode", "emulat")
    assert result.exit_code == 2
    assert "--mode: 'emulat'" in result.stderr
    assert "did you mean 'emulate'?" in result.stderr
    assert "--set" not in result.stderr


def test_topology_mistakes(cli) -> None:
    result = cli("topology", "show", "fat_treee")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'fat_tree'?" in result.stderr
    assert cli("topology", "convert", "grid", "x.foo").exit_code == 2


def test_schema_accepts_a_trial_and_refuses_a_mistake(cli, trial: Path) -> None:
    import jsonschema
    from ruamel.yaml import YAML

    document = json.loads(cli("schema").stdout)
    described = YAML(typ="safe", pure=True).load(trial.read_text())
    jsonschema.validate(described, document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(described | {"duratoin": "1 s"}, document)


def test_version_and_doctor_as_json(cli) -> None:
    assert json.loads(cli("version", "--json").stdout)["versions"]["netarium"]
    document = json.loads(cli("doctor", "--json").stdout)
    assert "Numba" in {finding["what"] for finding in document["findings"]}


def test_doctor_table(cli) -> None:
    shown = cli("doctor")
    assert "no netem: not needed" in shown.stdout
    assert shown.exit_code == 0, shown.stdout


def test_no_runs_yet(cli) -> None:
    assert "netarium run interference-ab" in cli("ls").stdout
    assert json.loads(cli("ls", "--json").stdout) == []
    shown = cli("show")
    assert shown.exit_code == 2
    assert "No runs in runs yet" in shown.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_all_mistakes_of_a_trial_at_once(cli, trial: Path, command: str) -> None:
    text = trial.read_text().replace("rate: 10 Mbit/s", "rate: 10").replace("to: b}", "to: bb}")
    trial.write_text(text + "servces: {}\n")
    result = cli(command, "lab")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "3 mistakes in lab.trial.yml" in result.stderr
    for words in (
        "line 7, network.links[1].rate",
        "line 9, services.transfer.to",
        "did you mean 'services'?",
    ):
        assert words in result.stderr
    assert not Path("runs").exists()


def test_mistakes_as_json(cli, trial: Path) -> None:
    result = cli("check", "lab", "--set", "services.transfr.size=1 MB", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["status"]) == (2, "invalid")
    assert document["problems"][0]["hint"] == "did you mean 'transfer'?"


def test_a_mistake_keeps_its_line_below_variants(cli, trial: Path) -> None:
    trial.write_text("variants:\n  full:\n    seed: 2\n" + trial.read_text().replace("10 Mbit/s", "10"))
    assert "line 10, network.links[1].rate" in cli("check", "lab", "--full").stderr


def test_full_and_another_variant_exclude_each_other(cli, trial: Path) -> None:
    result = cli("check", "lab", "--full", "--variant", "tiny")
    assert result.exit_code == 2
    assert "name one of the two" in result.stderr


def test_the_version_is_an_option_too(cli) -> None:
    assert cli("--version").stdout == cli("version").stdout


def test_a_misspelt_command(cli) -> None:
    result = cli("chekc")
    assert result.exit_code == 2
    assert "Did you mean 'check'" in result.stderr


def test_check_of_an_emulated_trial_shows_real_hosts_addresses_and_needs(cli, trial: Path) -> None:
    result = cli("check", "lab", "--mode", "emulate")
    assert result.exit_code == 0, result.stderr
    for text in ("real host", "10.0.0.1/30", "iperf3 -c", "TAP devices", "of real time"):
        assert text in result.stdout


def test_help_takes_little_of_the_processor() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([NETARIUM, "--help"], capture_output=True, check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.3, seconds  # 0.2 s is the target on an idle machine (make bench)


def test_a_reader_that_goes_away_is_no_bug() -> None:
    """As in `netarium check … | head -1`: the first line is read, the rest is not wanted."""
    code = "from netarium.operate.cli import main; main()"
    command = [sys.executable, "-c", code, "check", "facility-4096"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 0
    process.stderr.close()
