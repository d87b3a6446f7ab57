"""The seam to compiled code: how a function of this package becomes a kernel.

`@kernel` compiles a function; with NETARIUM_JIT=0 in the environment it leaves it as plain Python, which gives the same
samples bit for bit, slowly, under a debugger or a coverage tool.

Nothing is compiled, and Numba not imported (`compiler.py`), until code is needed that is not kept yet (`machinecode.py`).
Until then a kernel is a note of what it is to become; Numba asks such a note for its type by `_numba_type_`, its protocol for
objects that it does not know.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from numbers import Integral
from typing import Any

from .machinecode import RETURNS, Code, cache_folder, callable_at, keep, kept, load

__all__ = ["INTERPRETED", "cache_folder", "call_hook", "hook", "intrinsic", "kernel", "view"]

INTERPRETED = os.environ.get("NETARIUM_JIT", "1") == "0"
"""True when kernels run as plain Python."""


class Later:
    """Something for the compiler that is made when the compiler first asks for it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @cached_property
    def made(self) -> Any:
        """What it stands for."""
        return self._make()

    @cached_property
    def _numba_type_(self) -> Any:
        from .compiler import seen

        return seen(self.made)


class Part(Later):
    """A kernel function that compiled code calls."""

    def __init__(self, function: Callable, inline: bool = False, entry: bool = False) -> None:
        self.function, self._inline, self._entry = function, inline, entry
        self.__name__, self.__doc__, self.__module__ = (
            function.__name__,
            function.__doc__,
            function.__module__,
        )
        super().__init__(self._dispatcher)

    def _dispatcher(self) -> Any:
        from .compiler import dispatcher

        return dispatcher(self.function, inline=self._inline, entry=self._entry)

    def __call__(self, *arguments: Any) -> Any:
        """Let Numba compile it for these arguments, or take what it compiled before."""
        return self.made(*arguments)


class Entry(Part):
    """A kernel function that Python calls."""

    def __init__(self, function: Callable) -> None:
        super().__init__(function, entry=True)
        # The name of kept code stands for the sources of this package only; other entries are left to Numba.
        self._count = (
            function.__code__.co_argcount if function.__module__.startswith(f"{__package__}.") else -1
        )

    def __call__(self, *arguments: Any) -> Any:
        """Call its machine code where it takes integers, else by way of Numba."""
        if len(arguments) == self._count and all(isinstance(each, Integral) for each in arguments):
            return self._native(*map(int, arguments))
        return self.made(*arguments)

    @cached_property
    def name(self) -> str:
        """What its code is kept under."""
        return f"{self.function.__module__.removeprefix(f'{__package__}.')}.{self.__name__}"

    @cached_property
    def _loaded(self) -> tuple[int, str]:
        """(address of its machine code, what that returns); compiled now if it is not kept."""
        code = kept(self.name)
        if code is None:
            from .compiler import machine_code

            code = Code(*machine_code(self.function, self._count))
            if code.returns not in RETURNS:
                raise TypeError(f"{self.name}: an entry returns an integer or nothing")
            keep(self.name, code)
        return load(code), code.returns

    @property
    def address(self) -> int:
        """Where its machine code is."""
        return self._loaded[0]

    @cached_property
    def _native(self) -> Callable[..., Any]:
        address, returns = self._loaded
        return callable_at(address, self._count, returns)


if INTERPRETED:

    def kernel(function: Callable | None = None, *, inline: bool = False, entry: bool = False) -> Any:
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

    def view(fields: dict[str, tuple[Any, int]]) -> Any:
        """A function that gives the arrays themselves (see the compiled version)."""
        return lambda sim: sim

else:

    def kernel(function: Callable | None = None, *, inline: bool = False, entry: bool = False) -> Any:
        """Compile a kernel function: no fast-math, no bounds checks, IEEE arithmetic.

        inline: always inline into callers (for the few small functions of the innermost path).
        entry: called from Python, kept on disk with all that it calls.
        Literal arguments are seen as their types, so that a constant makes no version of a function of its own.
        """
        if function is None:
            return lambda wrapped: kernel(wrapped, inline=inline, entry=entry)
        return Entry(function) if entry else Part(function, inline=inline)

    def hook(function: Any, first: Any, second: Any) -> int:
        """Compile a user's `function(first_record, second_record, now_ps) -> int | None`; returns its address.

        first, second: the record dtypes of its arguments. Raises numba.TypingError when the function cannot be compiled.
        """
        from . import compiler

        return compiler.hook(function.function if isinstance(function, Part) else function, first, second)

    def view(fields: dict[str, tuple[Any, int]]) -> Any:
        """A compiled function address -> sim, for a table of (data address, shape[0], shape[1]) a field.

        fields: name -> (dtype, number of dimensions), in the order of the table.
        """

        def made() -> Any:
            from . import compiler

            return compiler.view(fields)

        return Later(made)

    def intrinsic(build: Callable) -> Any:
        """Numba's `intrinsic`: build(typing context, types of the arguments) -> (signature, writer of LLVM IR)."""

        def made() -> Any:
            from . import compiler

            return compiler.intrinsic(build)

        return Later(made)

    def _call_hook() -> Any:
        from . import compiler

        return compiler.call_hook

    call_hook = Later(_call_hook)
