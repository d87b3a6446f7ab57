"""Machine code of entries as it is kept: whole, for this machine only, and only with what this process has."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.run.kernel import machinecode
from netarium.run.kernel.machinecode import Code, kept, llvm, needs

SOURCE = """
declare i64 @WHAT(i64)
define i32 @start(ptr %result, ptr %fault, i64 %n) {
  %found = call i64 @WHAT(i64 %n)
  store i64 %found, ptr %result
  ret i32 0
}
"""


def made(what: str) -> Code:
    """An entry that gives what the C function `what` gives."""
    machinecode._start_llvm()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    module = llvm.parse_assembly(SOURCE.replace("WHAT", what))
    return Code(machine.emit_object(module), "start", "int64")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETARIUM_CACHE", str(tmp_path))


def test_code_that_was_kept_runs() -> None:
    machinecode.keep("e", made("labs"))
    code = kept("e")
    assert code is not None
    assert machinecode.callable_at(machinecode.load(code), 1, code.returns)(-7) == 7


def test_code_that_needs_what_is_not_there_is_not_run() -> None:
    code = made("nowhere_to_be_found")
    assert needs(code.object) == ["nowhere_to_be_found"]
    machinecode.keep("e", code)
    assert kept("e") is None


def test_damaged_code_is_not_run() -> None:
    machinecode.keep("e", made("labs"))
    place = machinecode.place_of("e")
    data = place.read_bytes()
    for damaged in (data[:-9], data[:-1] + bytes([data[-1] ^ 1]), b"", b"{}\n"):
        place.write_bytes(damaged)
        assert kept("e") is None
    assert kept("another") is None
