"""The seam to Numba: the only file that imports it, and the only place where kernels are compiled.

`@kernel` compiles a function of this package; with NETARIUM_JIT=0 in the environment it leaves it as plain Python, which
gives the same samples bit for bit, slowly, under a debugger or a coverage tool.

Compiled code is kept in a folder named by a digest of every kernel source: Numba's own cache looks only at the file of the
function it loads, so it would not notice an edit in a callee of another file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

INTERPRETED = os.environ.get("NETARIUM_JIT", "1") == "0"
"""True when kernels run as plain Python."""


def kernel_digest() -> str:
    """SHA-256 (hex) over the names and contents of all kernel sources; part of every record."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def cache_folder() -> Path:
    """Where compiled kernels of exactly these sources are kept (NETARIUM_CACHE overrides the user's cache folder)."""
    base = os.environ.get("NETARIUM_CACHE")
    root = Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "netarium"
    return root / "kernels" / kernel_digest()[:16]


if INTERPRETED:

    def kernel(function: Callable | None = None, *, inline: bool = False) -> Any:
        """Leave the function as it is."""
        return function if function is not None else lambda wrapped: wrapped

    def call_hook(address: Any, first: Any, second: Any, now_ps: int) -> int:
        """Call the user's function at `address` (here the function itself)."""
        return HOOKS[int(address)](first, second, now_ps)

    HOOKS: dict[int, Callable] = {}

    def hook(function: Callable, first: Any, second: Any) -> int:
        """Register a user's function; returns what `call_hook` takes as its address."""
        address = len(HOOKS) + 1
        HOOKS[address] = lambda a, b, now: int(function(a, b, now) or 0)
        return address

    def float_bits(value: float) -> int:
        """The 64 bits of an IEEE 754 double as an integer."""
        import struct

        return struct.unpack("<q", struct.pack("<d", value))[0]

else:
    import numba
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils  # noqa: F401  (initialises the lowering registry before intrinsics are declared)
    from numba.extending import intrinsic

    _folder = cache_folder()
    numba.config.CACHE_DIR = str(_folder)

    def kernel(function: Callable | None = None, *, inline: bool = False) -> Any:
        """Compile a kernel function: cached on disk, no fast-math, no bounds checks, IEEE arithmetic.

        inline: always inline into callers (for the few small functions of the innermost path).
        """

        def compile_(wrapped: Callable) -> Any:
            return numba.njit(cache=True, error_model="numpy", forceinline=inline)(wrapped)

        return compile_(function) if function is not None else compile_

    @intrinsic
    def call_hook(typingctx, address, first, second, now_ps):  # noqa: ANN001, ARG001
        """Call the C function at `address` with two records (by pointer) and the time; returns its int64."""

        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            byte = ir.IntType(8).as_pointer()
            function_type = ir.FunctionType(ir.IntType(64), [byte, byte, ir.IntType(64)])
            function = builder.inttoptr(args[0], function_type.as_pointer())
            return builder.call(
                function, [builder.bitcast(args[1], byte), builder.bitcast(args[2], byte), args[3]]
            )

        return types.int64(types.int64, first, second, types.int64), codegen

    _hooks: list[Any] = []

    def hook(function: Callable, first: Any, second: Any) -> int:
        """Compile a user's `function(first_record, second_record, now_ps) -> int | None`; returns its address.

        first, second: the record dtypes of its arguments. Raises numba.TypingError when the function cannot be compiled.
        """
        compiled = numba.njit(error_model="numpy")(function)
        one, two = numba.from_dtype(first), numba.from_dtype(second)
        returns = compiled.compile((one, two, types.int64)) and compiled.nopython_signatures[0].return_type
        pointers = types.int64(types.CPointer(one), types.CPointer(two), types.int64)
        if isinstance(returns, types.NoneType):

            @numba.cfunc(pointers)
            def entry(a, b, now_ps):  # noqa: ANN001
                compiled(numba.carray(a, 1)[0], numba.carray(b, 1)[0], now_ps)
                return 0
        else:

            @numba.cfunc(pointers)
            def entry(a, b, now_ps):  # noqa: ANN001
                return compiled(numba.carray(a, 1)[0], numba.carray(b, 1)[0], now_ps)

        _hooks.append(entry)
        return entry.address

    @intrinsic
    def float_bits(typingctx, value):  # noqa: ANN001, ARG001
        """The 64 bits of an IEEE 754 double as an integer."""

        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            return builder.bitcast(args[0], ir.IntType(64))

        return types.int64(types.float64), codegen
