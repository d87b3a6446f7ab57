"""Numba, and how this package uses it: parts kept as LLVM IR, entries optimised once with all their parts, views of arrays.

Imported only when something must be compiled; `jit.py` leads here.
"""

# ruff: noqa: E402 - Numba is imported after SciPy has been hidden from it.

from __future__ import annotations

import hashlib
import operator
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any

from .machinecode import cache_folder

# Kernels use no linear algebra. Numba looks for SciPy's when it is imported, which takes as long as all the rest of it.
_LINEAR_ALGEBRA = "scipy.linalg.cython_blas"
_hidden = _LINEAR_ALGEBRA not in sys.modules
if _hidden:
    sys.modules[_LINEAR_ALGEBRA] = None  # type: ignore[assignment]
import numba
import numba.np.arraymath

if _hidden:
    del sys.modules[_LINEAR_ALGEBRA]
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.extending import (
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    lower_setattr_generic,
)
from numba.core.registry import cpu_target
from numba.core.typed_passes import NativeLowering
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import record_getattr

_folder = cache_folder()
numba.config.CACHE_DIR = str(_folder)


class _PartLibrary(JITCodeLibrary):
    """The code of a function that is only ever called by compiled code: kept as LLVM IR, not optimised, not emitted.

    Numba by itself optimises and emits every function together with all that it calls, so code at the bottom of a deep
    call tree is compiled once for each function above it. Here that happens once, in the entry.
    """

    def add_linking_library(self, library: Any) -> None:
        _adopt(self, library)

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalized = True


class _EntryLibrary(JITCodeLibrary):
    """The code of an entry and of every part it calls, linked, optimised and emitted as one.

    Parts become internal: LLVM then inlines what is called once, and drops results and checks that nobody uses.
    """

    def finalize(self) -> None:
        self._own = {f.name for f in self._final_module.functions if not f.is_declaration}
        super().finalize()

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.name not in self._own:
                function.linkage = "internal"
        super()._optimize_final_module()

    def add_linking_library(self, library: Any) -> None:
        _adopt(self, library)


def _adopt(library: Any, called: Any) -> None:
    """Make `library` link what it calls, then what that calls in turn (LLVM links only what is asked for already)."""
    called._ensure_finalized()
    known = {id(other) for other in library._linking_libraries}
    for other in (called, *called._linking_libraries):
        if id(other) not in known:
            known.add(id(other))
            library._linking_libraries.append(other)


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerPart(NativeLowering):
    """Lower a function to IR only."""

    _name = "netarium_lower_part"

    def run_pass(self, state: Any) -> bool:
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_cpython_wrapper = True
        state.flags.no_cfunc_wrapper = True
        state.flags.no_compile = True
        super().run_pass(state)
        address = [].append  # no machine code: any built-in function that is equal to no other
        state.targetctx.insert_user_function(address, state["cr"].fndesc, [state.library])
        state["cr"] = state["cr"]._replace(cfunc=address)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerEntry(NativeLowering):
    """Lower a function together with its parts."""

    _name = "netarium_lower_entry"

    def run_pass(self, state: Any) -> bool:
        state.library = _EntryLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().run_pass(state)


NEEDED = (
    "TranslateByteCode FixupArgs IRProcessing GenericRewrites ReconstructSSA NopythonTypeInference PreLowerStripPhis "
    "NoPythonSupportedFeatureValidation IRLegalization AnnotateTypes NativeLowering NoPythonBackend"
).split()
"""Numba's passes that kernel code needs; the others look for closures, literals, array expressions and the like."""


def _pipeline(lowering: type) -> type:
    """Numba's compiler with only the needed passes and another lowering."""

    class Pipeline(CompilerBase):
        def define_pipelines(self) -> list:
            manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
            manager.passes = [
                (lowering if stage is NativeLowering else stage, text)
                for stage, text in manager.passes
                if stage.__name__ in NEEDED
            ]
            manager._finalized = False
            manager.finalize()
            return [manager]

    return Pipeline


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerNative(_LowerEntry):
    """Lower a function together with its parts, without the wrappers that let Python call it."""

    _name = "netarium_lower_native"

    def run_pass(self, state: Any) -> bool:
        state.flags.no_cpython_wrapper = True
        state.flags.no_cfunc_wrapper = True
        return super().run_pass(state)


PART, ENTRY, NATIVE = _pipeline(_LowerPart), _pipeline(_LowerEntry), _pipeline(_LowerNative)


def dispatcher(function: Callable, *, inline: bool, entry: bool) -> Any:
    """Numba's dispatcher of a kernel function: no fast-math, no bounds checks, IEEE arithmetic (see `jit.kernel`)."""
    found = numba.njit(
        cache=entry,
        nogil=entry,
        error_model="numpy",
        forceinline=inline,
        pipeline_class=ENTRY if entry else PART,
    )(function)
    call_template = found.get_call_template
    found.get_call_template = lambda args, kws: call_template(
        tuple(types.unliteral(arg) for arg in args), kws
    )
    return found


def seen(value: Any) -> Any:
    """The type under which code that calls `value`, made after Numba's lists were last read, sees it."""
    context = cpu_target.typing_context
    context.refresh()
    return context.resolve_value_type(value)


def machine_code(function: Callable, count: int) -> tuple[bytes, str, str]:
    """An entry that takes `count` integers: its object code, symbol, and what it returns: "int64", "none", or another type."""
    found = numba.njit(nogil=True, error_model="numpy", pipeline_class=NATIVE)(function)
    found.compile((types.int64,) * count)
    (compiled,) = found.overloads.values()
    library, returns = compiled.library, compiled.signature.return_type
    return library._get_compiled_object(), compiled.fndesc.llvm_func_name, str(returns)


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
    compiled = dispatcher(function, inline=False, entry=False)
    one, two = WideRecord.of(first), WideRecord.of(second)
    compiled.get_call_template((one, two, types.int64), {})
    returns = compiled.nopython_signatures[0].return_type
    pointers = types.int64(types.CPointer(one), types.CPointer(two), types.int64)
    if isinstance(returns, types.NoneType):

        @numba.cfunc(pointers, pipeline_class=ENTRY)
        def entry(a, b, now_ps):  # noqa: ANN001
            compiled(numba.carray(a, 1)[0], numba.carray(b, 1)[0], now_ps)
            return 0
    else:

        @numba.cfunc(pointers, pipeline_class=ENTRY)
        def entry(a, b, now_ps):  # noqa: ANN001
            return compiled(numba.carray(a, 1)[0], numba.carray(b, 1)[0], now_ps)

    _hooks.append(entry)
    return entry.address


class WideRecord(types.Record):
    """A record whose integer fields are all int64 to the code that reads and writes them, whatever they are in memory.

    So a narrow field never makes a second version of a function, and arithmetic never overflows its width.
    """

    @cached_property
    def label(self) -> str:
        """A short name of the layout."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def typeof(self, key: str) -> Any:
        """The type under which code sees a field."""
        narrow = super().typeof(key)
        return types.int64 if isinstance(narrow, types.Integer) else narrow

    @classmethod
    def of(cls, dtype: Any) -> WideRecord:
        """The type of an aligned NumPy record dtype."""
        record = numba.from_dtype(dtype)
        fields = [
            (
                name,
                {"type": field.type, "offset": field.offset, "alignment": field.alignment, "title": None},
            )
            for name, field in record.fields.items()
            if name in dtype.names
        ]
        return cls(fields, record.size, record.aligned)


register_model(WideRecord)(models.RecordModel)


@infer_getattr
class _RecordAttributes(AttributeTemplate):
    key = WideRecord

    def generic_resolve(self, record, attribute):  # noqa: ANN001
        return record.typeof(attribute)


def _tag(builder: Any, instruction: Any, *names: str) -> Any:
    """Say to LLVM which memory an instruction touches (type-based alias analysis): a field of a record shares bytes with
    no other field, and never with the table of arrays, so a store to one leaves the others in their registers."""
    module = builder.module
    root = module.add_metadata([ir.MetaDataString(module, "netarium")])
    zero = ir.Constant(ir.IntType(64), 0)
    kind = module.add_metadata([ir.MetaDataString(module, ".".join(names)), root, zero])
    instruction.set_metadata("tbaa", module.add_metadata([kind, kind, zero]))
    return instruction


def _member(
    context: Any, builder: Any, record: Any, value: Any, attribute: str
) -> tuple[Any, Any, int | None]:
    """(type in memory, pointer, alignment) of a field."""
    narrow = record.fields[attribute].type
    pointer = cgutils.get_record_member(
        builder, value, record.offset(attribute), context.get_data_type(narrow)
    )
    return narrow, pointer, None if record.aligned else 1


@lower_getattr_generic(WideRecord)
def _lower_field(context, builder, record, value, attribute):  # noqa: ANN001
    if isinstance(record.fields[attribute].type, types.NestedArray):
        return record_getattr(context, builder, record, value, attribute)
    narrow, pointer, align = _member(context, builder, record, value, attribute)
    loaded = _tag(builder, builder.load(pointer, align=align), record.label, attribute)
    return context.cast(builder, loaded, narrow, record.typeof(attribute))


@lower_setattr_generic(WideRecord)
def _lower_set_field(context, builder, signature, args, attribute):  # noqa: ANN001
    record, given = signature.args
    narrow, pointer, align = _member(context, builder, record, args[0], attribute)
    value = context.cast(builder, args[1], given, narrow)
    _tag(builder, builder.store(value, pointer, align=align), record.label, attribute)


class RowsType(types.Type):
    """One array of a run as compiled code sees it: a pointer to (data, rows, columns) in the run's table of arrays.

    Indices are taken as they are, without NumPy's wrap-around of negative ones. A row of records is a record; a number
    is an int64 or float64.
    """

    def __init__(self, element: Any, ndim: int) -> None:
        self.element, self.ndim = element, ndim
        self.row = types.int64 if isinstance(element, types.Integer) else element
        self.index = types.int64 if ndim == 1 else types.UniTuple(types.int64, ndim)
        super().__init__(f"Rows({element}, {ndim})")


class SimType(types.Type):
    """The arrays of a run behind one pointer, their table: `sim.packets` is a place in it.

    Passing one pointer instead of forty arrays keeps calls cheap and the generated code small.
    """

    def __init__(self, fields: tuple) -> None:
        self.fields = fields
        digest = hashlib.sha256(repr(fields).encode()).hexdigest()[:16]
        super().__init__(f"Sim({digest})")


register_model(RowsType)(models.OpaqueModel)
register_model(SimType)(models.OpaqueModel)


@infer_getattr
class _SimAttributes(AttributeTemplate):
    key = SimType

    def generic_resolve(self, sim, attribute):  # noqa: ANN001
        return dict(sim.fields).get(attribute)


@lower_getattr_generic(SimType)
def _lower_sim_attribute(context, builder, sim, value, attribute):  # noqa: ANN001
    position = [name for name, _ in sim.fields].index(attribute)
    return builder.gep(value, [ir.Constant(ir.IntType(64), 24 * position)])


@infer_global(operator.getitem)
class _RowsGet(AbstractTemplate):
    def generic(self, args, kws):  # noqa: ANN001
        if isinstance(args[0], RowsType):
            return signature(args[0].row, args[0], args[0].index)
        return None


@infer_global(operator.setitem)
class _RowsSet(AbstractTemplate):
    def generic(self, args, kws):  # noqa: ANN001
        if isinstance(args[0], RowsType) and not isinstance(args[0].element, types.Record):
            return signature(types.none, args[0], args[0].index, args[0].row)
        return None


@infer_global(len)
class _RowsLength(AbstractTemplate):
    def generic(self, args, kws):  # noqa: ANN001
        return signature(types.int64, *args) if isinstance(args[0], RowsType) else None


def _table_entry(builder: Any, table: Any, position: int) -> Any:
    """Load from the table of arrays, which never changes while compiled code runs."""
    pointer = builder.gep(table, [ir.Constant(ir.IntType(64), position)])
    entry = _tag(builder, builder.load(pointer), "table")
    entry.set_metadata("invariant.load", builder.module.add_metadata([]))
    return entry


def _place(context: Any, builder: Any, rows: Any, value: Any, index: Any) -> Any:
    """Pointer to the row at an index."""
    word = ir.IntType(64)
    table = builder.bitcast(value, word.as_pointer())
    if rows.ndim == 2:
        row, column = cgutils.unpack_tuple(builder, index, 2)
        columns = _table_entry(builder, table, 2)
        index = builder.add(builder.mul(row, columns), column)
    data = builder.inttoptr(_table_entry(builder, table, 0), ir.IntType(8).as_pointer())
    is_record = isinstance(rows.element, types.Record)
    item_bytes = rows.element.size if is_record else rows.element.bitwidth // 8
    pointer = builder.gep(data, [builder.mul(index, ir.Constant(word, item_bytes))])
    return builder.bitcast(pointer, context.get_data_type(rows.element).as_pointer())


@lower_builtin(operator.getitem, RowsType, types.Any)
def _lower_get(context, builder, sig, args):  # noqa: ANN001
    rows = sig.args[0]
    pointer = _place(context, builder, rows, *args)
    if isinstance(rows.element, types.Record):
        return builder.bitcast(pointer, context.get_value_type(rows.element))
    loaded = _tag(builder, builder.load(pointer), "numbers", str(rows.element))
    return context.cast(builder, loaded, rows.element, rows.row)


@lower_builtin(operator.setitem, RowsType, types.Any, types.Any)
def _lower_set(context, builder, sig, args):  # noqa: ANN001
    rows = sig.args[0]
    pointer = _place(context, builder, rows, args[0], args[1])
    value = context.cast(builder, args[2], rows.row, rows.element)
    _tag(builder, builder.store(value, pointer), "numbers", str(rows.element))
    return context.get_dummy_value()


@lower_builtin(len, RowsType)
def _lower_length(context, builder, sig, args):  # noqa: ANN001
    word = ir.IntType(64)
    table = builder.bitcast(args[0], word.as_pointer())
    return _table_entry(builder, table, 1)


def _element(dtype: Any) -> Any:
    return numba.from_dtype(dtype) if dtype.names is None else WideRecord.of(dtype)


def view(fields: dict[str, tuple[Any, int]]) -> Any:
    """A compiled function address -> sim, for a table of (data address, shape[0], shape[1]) a field.

    fields: name -> (dtype, number of dimensions), in the order of the table.
    """
    sim = SimType(tuple((name, RowsType(_element(dtype), ndim)) for name, (dtype, ndim) in fields.items()))

    @intrinsic
    def as_sim(typingctx, address):  # noqa: ANN001, ARG001
        def codegen(context, builder, signature, args):  # noqa: ANN001, ARG001
            return builder.inttoptr(args[0], context.get_value_type(sim))

        return sim(types.int64), codegen

    return as_sim
