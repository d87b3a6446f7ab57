"""netarium topology import and export: containerlab files on the command line, with what is not carried on standard error."""

from __future__ import annotations

from pathlib import Path

LAB = """
name: lab2
topology:
  nodes:
    a: {kind: linux, image: alpine, exec: [ping -c 1 b]}
    b: {kind: linux}
  links:
    - endpoints: ["a:eth1", "b:eth1"]
      vars: {netarium: {rate: 100 Mbit/s, delay: 5 ms}}
"""


def test_a_lab_comes_in_is_checked_and_goes_out_again(cli, folder: Path) -> None:
    (folder / "lab2.clab.yml").write_text(LAB)
    came = cli("topology", "import", "lab2.clab.yml", "--duration", "5 s")
    assert came.exit_code == 0 and "wrote lab2.trial.yml" in came.stdout
    assert "image is not carried" in came.stderr
    checked = cli("check", "lab2.trial.yml")
    assert checked.exit_code == 0 and "a-exec0" in checked.stdout and "10.0.0.1/30" in checked.stdout
    went = cli("topology", "export", "lab2.trial.yml", "out.clab.yml", "--image", "debian:12")
    assert went.exit_code == 0 and "does not shape links" in went.stderr
    text = (folder / "out.clab.yml").read_text()
    assert "debian:12" in text and "ping -c 1 b" in text and "rate: 100 Mbit/s" in text


def test_nothing_is_written_over(cli, folder: Path) -> None:
    (folder / "lab2.clab.yml").write_text(LAB)
    assert cli("topology", "import", "lab2.clab.yml").exit_code == 0
    again = cli("topology", "import", "lab2.clab.yml")
    assert again.exit_code == 2 and "which exists" in again.stderr
    assert cli("topology", "import", "lab2.clab.yml", "--force").exit_code == 0
