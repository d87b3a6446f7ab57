"""Machine code of entries, kept on disk: loaded by LLVM alone, so that a run with nothing to compile never imports Numba.

Importing Numba and telling it of four hundred kernel functions takes half a second; loading code takes some milliseconds.
The file of an entry has a name that stands for all it depends on: every kernel source, the versions of Numba, LLVM's binding
and Python, the processor, and Numba's settings.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import platform
import struct
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm

from .digest import kernel_digest

RETURNS = ("int64", "none")
"""What an entry that is called by its address may return."""
NO_MATTER = ("NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER", "NUMBA_CACHE_DIR")
"""Settings of Numba that change no code: kernels have no parallel loops, and are kept in a folder of their own."""
SYMBOL_TABLE = 2
"""SHT_SYMTAB: the type of that section of an ELF file."""
_engines: list[Any] = []


def cache_folder() -> Path:
    """Where compiled kernels of exactly these sources are kept (NETARIUM_CACHE overrides the user's cache folder)."""
    base = os.environ.get("NETARIUM_CACHE")
    root = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "netarium"
    return root / "kernels" / kernel_digest()[:16]


class Code(NamedTuple):
    """Object code of an entry (ELF), the symbol to call, what it returns (see RETURNS)."""

    object: bytes
    symbol: str
    returns: str


@functools.cache
def circumstances() -> str:
    """What code depends on beside the sources: Numba's settings, the processor, versions; short, for names of files."""
    settings = sorted(
        item for item in os.environ.items() if item[0].startswith("NUMBA_") and item[0] not in NO_MATTER
    )
    host = (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    versions = (version("numba"), version("llvmlite"), platform.python_version())
    return hashlib.sha256(repr((settings, host, versions)).encode()).hexdigest()[:16]


def place_of(entry: str) -> Path:
    """The file of an entry, by its module and name."""
    return cache_folder() / f"{entry}-{circumstances()}.code"


def keep(entry: str, code: Code) -> None:
    """Write the code of an entry, whole or not at all. A cache that cannot be written to is no reason to fail."""
    place = place_of(entry)
    digest = hashlib.sha256(code.object).hexdigest()
    about = json.dumps({"symbol": code.symbol, "returns": code.returns, "sha256": digest})
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(about.encode() + b"\n" + code.object)
        os.replace(temporary, place)
    except OSError:
        temporary.unlink(missing_ok=True)


def kept(entry: str) -> Code | None:
    """The code of an entry; None when there is none that is whole and that this process can run."""
    try:
        line, data = place_of(entry).read_bytes().split(b"\n", 1)
        about = json.loads(line)
        if hashlib.sha256(data).hexdigest() != about["sha256"]:
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # LLVM ends the process when a symbol is missing, so each is looked up before.
    _start_llvm()
    missing = [name for name in needs(data) if not llvm.address_of_symbol(name)]
    return None if missing else Code(data, about["symbol"], about["returns"])


def needs(data: bytes) -> list[str]:
    """The symbols that object code takes from the process: those of its symbol table (ELF, 64 bits) without a section."""
    (table_at,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQII", data, table_at + size * index) for index in range(count)]
    found = []
    for _, kind, _, _, offset, length, link, _ in sections:
        if kind == SYMBOL_TABLE:
            strings = sections[link][4]
            for name, _, _, section, _, _ in struct.iter_unpack("<IBBHQQ", data[offset : offset + length]):
                if name and not section:
                    start = strings + name
                    found.append(data[start : data.index(b"\0", start)].decode())
    return found


@functools.cache
def _start_llvm() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.load_library_permanently("")  # makes the C library's functions known by name


def load(code: Code) -> int:
    """The address of the code, brought into memory where it stays until the process ends."""
    _start_llvm()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code.object))
    engine.finalize_object()
    _engines.append(engine)
    return int(engine.get_function_address(code.symbol))


def callable_at(address: int, count: int, returns: str) -> Callable[..., int | None]:
    """Python's way to call code that takes `count` integers, as Numba lays it out; other threads run meanwhile.

    The function gets a place for its result and one for an exception, and returns a status, 0 when all went well.
    """
    word, place = ctypes.c_int64, ctypes.c_void_p
    function = ctypes.CFUNCTYPE(ctypes.c_int32, place, place, *[word] * count)(address)

    def call(*arguments: int) -> int | None:
        result, fault = word(), place()
        status = function(ctypes.addressof(result), ctypes.addressof(fault), *arguments)
        if status not in (0, -2):  # -2: it returned None
            raise RuntimeError(f"compiled code ended with status {status}")
        return int(result.value) if returns == "int64" else None

    return call
