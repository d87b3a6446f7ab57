"""A user's own Python file: constants set, functions checked and compiled; every mistake names its line.

Parameters of the trial replace constants of the file: `parameters: {GAIN: 0.5}` is as if the file had said
`GAIN = 0.5`. So compiled code sees numbers, and the file also stands by itself. Its functions may call each
other.
"""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from netarium.errors import Problem, TrialInvalid, did_you_mean, nearest, one_of

Number = int | float
COMPILABLE = (
    "code that can be compiled: numbers, fields of the arguments, math, if, for, while, other functions"
)


class UserFile:
    """The text of a file, parsed, with the trial's parameters in place of its constants.

    Raises TrialInvalid with every mistake found: no such file, wrong syntax, a required function missing,
    wrong arguments, unknown parameters, unknown fields of the records.
    """

    def __init__(
        self,
        path: str | Path,
        required: Sequence[str],
        optional: Sequence[str],
        records: tuple[np.dtype, np.dtype],
        parameters: Mapping[str, Number],
        where: str,
        source: str | None = None,
    ) -> None:
        """required, optional: names of functions (first record, second record, now_ps).

        records: dtypes of the two records. where: place in the trial. source: the text, if it is at hand.
        """
        self.path, self.where, self.records = str(path), where, records
        self.names = (*required, *optional)
        self.tree = self._parse(source)
        nodes = self.tree.body
        self.functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
        problems = [
            *self._missing(required),
            *self._misspelled(),
            *(problem for name in self.names for problem in self._arguments(name)),
            *self._set(parameters),
        ]
        if problems:
            raise TrialInvalid(problems)

    def problem(self, line: int, found: str, expected: str = "", hint: str = "", column: int = 1) -> Problem:
        """A mistake in this file."""
        return Problem(self.where, found, expected, hint, self.path, line, column if line else 0)

    def constant(self, name: str, default: Any) -> Any:
        """The literal that the file assigns to `name`, or the default."""
        for target, node in self._constants():
            if target == name and isinstance(node.value, ast.Constant):
                return node.value.value
        return default

    # -- checks before compiling

    def _parse(self, source: str | None) -> ast.Module:
        try:
            text = Path(self.path).read_text(encoding="utf-8") if source is None else source
            return ast.parse(text, self.path)
        except OSError as error:
            problem = self.problem(0, f"no readable file ({error.strerror})", "a Python file")
        except UnicodeDecodeError:
            problem = self.problem(0, "a file that is not UTF-8 text", "a Python file")
        except SyntaxError as error:
            problem = self.problem(error.lineno or 0, error.msg, "Python", column=error.offset or 1)
        except ValueError as error:
            problem = self.problem(0, str(error), "Python")
        raise TrialInvalid([problem])

    def _constants(self) -> list[tuple[str, ast.Assign | ast.AnnAssign]]:
        """Every assignment to a single name at the top level."""
        found: list[tuple[str, ast.Assign | ast.AnnAssign]] = []
        for node in self.tree.body:
            if (
                isinstance(node, ast.Assign)
                and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name)
            ):
                found.append((node.targets[0].id, node))
            elif (
                isinstance(node, ast.AnnAssign)
                and node.value is not None
                and isinstance(node.target, ast.Name)
            ):
                found.append((node.target.id, node))
        return found

    def _missing(self, required: Sequence[str]) -> list[Problem]:
        return [
            self.problem(0, f"no function {name}", f"def {name}(...)", did_you_mean(name, self.functions))
            for name in required
            if name not in self.functions
        ]

    def _misspelled(self) -> list[Problem]:
        """Functions that nobody calls and whose name is nearly one of ours."""
        used = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        return [
            self.problem(node.lineno, f"function {name}, which nothing calls", one_of(self.names), hint)
            for name, node in self.functions.items()
            if name not in self.names and name not in used
            for hint in [did_you_mean(name, self.names)]
            if hint and nearest(name, self.names) not in self.functions
        ]

    def _arguments(self, name: str) -> list[Problem]:
        """Three plain arguments, and only fields that their records have."""
        node = self.functions.get(name)
        if node is None:
            return []
        given = node.args
        plain = not (given.vararg or given.kwarg or given.kwonlyargs or given.defaults)
        arguments = [argument.arg for argument in (*given.posonlyargs, *given.args)]
        if not plain or len(arguments) != 3:
            found = f"{name}({ast.unparse(given)})"
            return [self.problem(node.lineno, found, "three plain arguments: two records and now_ps")]
        problems = []
        for part in ast.walk(node):
            if (
                isinstance(part, ast.Attribute)
                and isinstance(part.value, ast.Name)
                and part.value.id in arguments[:2]
            ):
                problems += self._field(part, arguments.index(part.value.id))
        return problems

    def _field(self, part: ast.Attribute, argument: int) -> list[Problem]:
        fields = self.records[argument].names or ()
        if part.attr in fields:
            return []
        found, expected = ast.unparse(part), "a field of that record (kernel/records.py)"
        return [
            self.problem(part.lineno, found, expected, near_field(part.attr, fields), part.col_offset + 1)
        ]

    def _set(self, parameters: Mapping[str, Number]) -> list[Problem]:
        """Put the trial's parameters in place of the file's constants."""
        constants = self._constants()
        names = [name for name, _ in constants]
        problems = [
            self.problem(0, f"parameter {name}", "a constant of the file", did_you_mean(name, names))
            for name in parameters
            if name not in names
        ]
        for name, node in constants:
            if name in parameters:
                value = parameters[name]
                whole = isinstance(node.value, ast.Constant) and isinstance(node.value.value, int)
                value = int(value) if whole and float(value).is_integer() else value
                node.value = ast.copy_location(ast.Constant(value), node.value)
        return problems

    # -- compiling

    def addresses(self) -> list[int]:
        """Compile the functions: the address of each name in the order given, 0 for one not in the file.

        Raises TrialInvalid for the first mistake that the compiler, or running the file, finds.
        """
        from ..jit import hook, kernel

        space: dict[str, Any] = {"__name__": Path(self.path).stem, "__file__": self.path}
        try:
            code: CodeType = compile(self.tree, self.path, "exec")
            exec(code, space)
        except Exception as error:
            raise TrialInvalid([self._raised(error)]) from error
        for name, value in list(space.items()):
            if (
                isinstance(value, FunctionType)
                and value.__module__ == space["__name__"]
                and name not in self.names
            ):
                space[name] = kernel(value)
        found = []
        for name in self.names:
            try:
                found.append(hook(space[name], *self.records) if name in self.functions else 0)
            except Exception as error:
                raise TrialInvalid([self._refused(name, error)]) from error
        return found

    def _raised(self, error: Exception) -> Problem:
        """An exception of the file's own top level."""
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self.path
        ]
        line = (lines[-1] if lines else 0) or 0
        return self.problem(line, f"{type(error).__name__}: {error}", "a file that runs")

    def _refused(self, function: str, error: Exception) -> Problem:
        """What the compiler says, in a sentence."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
        place = getattr(error, "loc", None)
        if place is not None and place.filename == self.path:
            text = f"{text}\n{self.path} ({place.line})"
        line = self._line(text) or self.functions[function].lineno
        if match := re.search(r"name '(\w+)' is not defined", text):
            name = match[1]
            line = self._line_of_name(name) or line
            hint = did_you_mean(name, self._globals())
            return self.problem(
                line, f"the unknown name {name!r}", "a constant or function of the file", hint
            )
        if "generator(" in text:
            return self.problem(line, "yield", COMPILABLE)
        if match := re.search(r"reflected (list|set).*?variable '(\w+)' in globals", text):
            return self.problem(line, f"{match[2]!r}, a {match[1]} made outside the function", COMPILABLE)
        if match := re.search(r"Untyped global name '(\w+)':.*?<class '([\w.]+)'>", text):
            return self.problem(line, f"{match[1]!r}, a {match[2]} made outside the function", COMPILABLE)
        if isinstance(error, KeyError) or (match := re.search(r"Unknown attribute '(\w+)'", text)):
            name = str(error.args[0]) if isinstance(error, KeyError) else match[1]
            line = self._line_of_field(name) or line
            fields = [field for record in self.records for field in record.names or ()]
            return self.problem(line, f"the unknown field {name!r}", "", near_field(name, fields))
        if match := re.search(r"Cannot unify (\S+) and (\S+) for '(\w+)", text):
            found = f"{match[3]!r}, which is {plain(match[1])} on one way and {plain(match[2])} on another"
            return self.problem(line, found, "one type")
        if match := re.search(r"(?:Cannot cast|No conversion from) (\S+) to (\w+)", text):
            return self.problem(line, f"{plain(match[1])} where {plain(match[2])} belongs", COMPILABLE)
        return self.problem(line, first_sentence(text), COMPILABLE)

    def _line(self, text: str) -> int:
        """The line of this file that a message of the compiler names, or 0."""
        file = re.escape(Path(self.path).name)
        match = re.search(rf'{file}"?,? (?:line |\()(\d+)', text)
        return int(match[1]) if match else 0

    def _line_of_name(self, name: str) -> int:
        return next((n.lineno for n in ast.walk(self.tree) if isinstance(n, ast.Name) and n.id == name), 0)

    def _line_of_field(self, name: str) -> int:
        nodes = ast.walk(self.tree)
        return next((n.lineno for n in nodes if isinstance(n, ast.Attribute) and n.attr == name), 0)

    def _globals(self) -> list[str]:
        return [*self.functions, *(name for name, _ in self._constants())]


def near_field(name: str, fields: Sequence[str]) -> str:
    """The hint "did you mean ...?": a field that begins alike (cwnd: cwnd_bytes), or looks alike."""
    longer = [field for field in fields if field.startswith(f"{name}_")]
    return did_you_mean(longer[0] if longer else name, fields)


def plain(numba_type: str) -> str:
    """A compiler's type in a user's word."""
    for pattern, word in (
        ("str|unicode", "text"),
        ("float", "a real number"),
        ("bool", "true or false"),
        ("int", "an integer"),
    ):
        if re.search(pattern, numba_type):
            return word
    return f"a {numba_type[:40]}"


def first_sentence(text: str) -> str:
    """The first line that says something about the user's code, cut to a readable length."""
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith(("Failed in nopython", "During:", "File ", "Raised from")):
            return line.split(". Raised from")[0][:160]
    return "code that the compiler does not take"
