"""From compiled code to the C library and to another entry: what the engine in real time needs beside the kernel's parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .jit import INTERPRETED

if INTERPRETED:

    def entry_address(entry: Callable) -> Any:
        """What `call_entry` takes: here the entry itself."""
        return entry

    def call_entry(address: Any, handle: Any, until_ps: int) -> int:
        """Call an entry by its address."""
        return address(handle, until_ps)

else:
    from .jit import Later, intrinsic

    def external(name: str, count: int, bits: int = 64) -> Any:
        """The C function `name` of this process for compiled code: takes `count` integers or addresses, returns `bits`."""

        def made() -> Any:
            from .compiler import signature, types

            returns = types.int32 if bits == 32 else types.int64
            return types.ExternalFunction(name, signature(returns, *[types.int64] * count))

        return Later(made)

    @intrinsic
    def address_of(typingctx, rows, index):  # noqa: ANN001, ARG001
        """The address of a row of an array of the run."""
        from .compiler import _place, ir, types

        def codegen(context, builder, signature, args):  # noqa: ANN001
            return builder.ptrtoint(_place(context, builder, signature.args[0], *args), ir.IntType(64))

        return types.int64(rows, types.int64), codegen

    def entry_address(entry: Any) -> int:
        """Where the machine code of an entry is, for `call_entry`."""
        return entry.address

    @intrinsic
    def call_entry(typingctx, address, handle, until_ps):  # noqa: ANN001, ARG001
        """Call an entry (handle, until_ps) -> int64 by its address, so that its code is not compiled a second time."""
        from .compiler import types

        one = types.int64

        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            function = builder.inttoptr(
                args[0], context.call_conv.get_function_type(one, (one, one)).as_pointer()
            )
            return context.call_conv.call_function(builder, function, one, (one, one), args[1:])[1]

        return one(one, one, one), codegen
