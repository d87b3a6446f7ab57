"""Machine instructions that Python has no word for, compiled and interpreted: events and histograms are made with them."""

from __future__ import annotations

from typing import Any

from .jit import INTERPRETED

if INTERPRETED:

    def prefetch(record: Any, offset: int) -> None:
        """Nothing to do (see the compiled version)."""

    def before(time_a: int, key_a: int, time_b: int, key_b: int) -> bool:
        """Whether (time_a, key_a) comes before (time_b, key_b)."""
        return (time_a, key_a) < (time_b, key_b)

    def bit(number: int) -> int:
        """An int64 with bit `number` (0 to 63) set."""
        return 1 << number if number < 63 else -(1 << 63)

    def lowest_bit(word: int) -> int:
        """The number of the lowest bit set in an int64; 64 when there is none."""
        return (word & -word).bit_length() - 1 if word else 64

    def float_bits(value: float) -> int:
        """The 64 bits of an IEEE 754 double as an integer."""
        import struct

        return struct.unpack("<q", struct.pack("<d", value))[0]

else:
    from .jit import intrinsic

    @intrinsic
    def prefetch(typingctx, record, offset):  # noqa: ANN001, ARG001
        """Ask for the cache line at an offset in a record that will be needed soon. Its index may be that of no record."""
        from .compiler import ir, types

        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            function = builder.module.declare_intrinsic(
                "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            )
            hints = [ir.Constant(number, hint) for hint in (0, 3, 1)]  # for reading, keep close, data
            place = builder.gep(builder.bitcast(args[0], byte), [args[1]])
            builder.call(function, [place, *hints])
            return context.get_dummy_value()

        return types.none(record, types.int64), codegen

    @intrinsic
    def before(typingctx, time_a, key_a, time_b, key_b):  # noqa: ANN001, ARG001
        """Whether (time_a, key_a) comes before (time_b, key_b), keys not negative: one comparison of 128 bits, no branch."""
        from .compiler import ir, types

        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            long = ir.IntType(128)
            joined = [
                builder.or_(
                    builder.shl(builder.zext(high, long), ir.Constant(long, 64)), builder.zext(low, long)
                )
                for high, low in (args[:2], args[2:])
            ]
            return builder.icmp_signed("<", *joined)

        return types.boolean(types.int64, types.int64, types.int64, types.int64), codegen

    @intrinsic
    def bit(typingctx, number):  # noqa: ANN001, ARG001
        """An int64 with bit `number` (0 to 63) set."""
        from .compiler import ir, types

        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            return builder.shl(ir.Constant(ir.IntType(64), 1), args[0])

        return types.int64(types.int64), codegen

    @intrinsic
    def lowest_bit(typingctx, word):  # noqa: ANN001, ARG001
        """The number of the lowest bit set in an int64; 64 when there is none."""
        from .compiler import ir, types

        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

        return types.int64(types.int64), codegen

    @intrinsic
    def float_bits(typingctx, value):  # noqa: ANN001, ARG001
        """The 64 bits of an IEEE 754 double as an integer."""
        from .compiler import ir, types

        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            return builder.bitcast(args[0], ir.IntType(64))

        return types.int64(types.float64), codegen
