"""Commands: programs that run on real hosts of an emulated trial, as the user states them."""

from __future__ import annotations

import signal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from netarium.describe.part import Name, NodeName, Part
from netarium.errors import Mistake, did_you_mean
from netarium.units import PositiveSize, PositiveTime, Time

DEFAULT_WITHIN_PS = 10 * 10**12
_ENDING_SIGNALS = ("TERM", "INT", "QUIT", "HUP", "KILL", "USR1", "USR2")


def _argv(value: Any) -> Any:
    """Numbers are their text; a string is refused, because no shell takes it apart."""
    if isinstance(value, str):
        words = ", ".join(value.split()) or "ping, bob"
        raise Mistake(
            f"the text {value!r}", "a list: the program and its arguments, one by one",
            f"there is no shell; for this one: [{words}]",
        )  # fmt: skip
    if not isinstance(value, (list, tuple)):
        raise Mistake(repr(value), "a list: the program and its arguments, such as [ping, bob]")
    words_found = []
    for index, word in enumerate(value):
        if isinstance(word, bool) or not isinstance(word, (str, int, float)):
            found = str(word).lower() if isinstance(word, bool) else repr(word)
            raise Mistake(found, "text or a number", "quote it if it is a word", at=(index,))
        if "\0" in str(word):
            raise Mistake("a NUL character", "text without it", at=(index,))
        words_found.append(str(word))
    if not words_found or not words_found[0]:
        raise Mistake("no program", "a list that begins with a program, such as [ping, bob]")
    return tuple(words_found)


def _environment(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    checked = {}
    for key, entry in value.items():
        if not isinstance(key, str) or not key or "=" in key or "\0" in key:
            raise Mistake(repr(key), "the name of a variable, without '='")
        if isinstance(entry, bool) or not isinstance(entry, (str, int, float)):
            raise Mistake(repr(entry), "text or a number", "quote it if it is a word", at=(key,))
        checked[key] = str(entry)
    return checked


def _signal(value: Any) -> Any:
    """TERM, SIGTERM or 15: all are TERM."""
    word = str(value).upper().removeprefix("SIG")
    if word.isdigit() and any(int(word) == one.value for one in signal.Signals):
        word = signal.Signals(int(word)).name.removeprefix("SIG")
    if f"SIG{word}" not in signal.Signals.__members__:
        raise Mistake(repr(value), f"a signal, such as {', '.join(_ENDING_SIGNALS)}",
                      did_you_mean(word, _ENDING_SIGNALS))  # fmt: skip
    return word


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _absolute(value: str) -> str:
    if not value.startswith("/") or "\0" in value:
        raise Mistake(repr(value), "a path that begins with '/'")
    return value


_WORDS = {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1}
Argv = Annotated[tuple[str, ...], BeforeValidator(_argv), WithJsonSchema(_WORDS)]
Environment = Annotated[
    dict[str, str],
    BeforeValidator(_environment),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "number"]}}),
]
SignalName = Annotated[str, BeforeValidator(_signal), WithJsonSchema({"type": ["string", "integer"]})]
Names = Annotated[
    tuple[Name, ...],
    BeforeValidator(_listed),
    PlainSerializer(list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Path = Annotated[str, BeforeValidator(_absolute)]
PortNumber = Annotated[int, Field(ge=1, le=65535, strict=True)]


class Ready(Part):
    """When a command counts as ready: exactly one of port, line and file."""

    port: PortNumber | None = None
    """A TCP port of its host on which something listens."""
    line: str | None = None
    """Text of a line that it writes, on standard output or standard error."""
    file: str | None = None
    """A file that exists, seen from inside the host."""
    within: PositiveTime = DEFAULT_WITHIN_PS
    """The longest time this may take; after it the run ends with an error."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Ready:
        stated = [word for word in ("port", "line", "file") if getattr(self, word) is not None]
        if len(stated) != 1 or "" in (self.line, self.file):
            raise Mistake(" and ".join(stated) or "none", "exactly one of port, line and file")
        return self


class Command(Part):
    """A program that runs on a real host, without a shell around it."""

    kind: Literal["command"] = "command"
    node: NodeName
    """The node it runs on, which becomes a real host."""
    argv: Argv
    """The program and its arguments, as a list."""
    env: Environment = {}
    """Variables added to its environment."""
    cwd: Path | None = None
    """Folder it starts in; default: a folder of its own, which it can write to."""
    start: Time = 0
    """When it starts, after what it waits for."""
    after: Names = ()
    """Commands that must be ready before; one without `ready` must have ended as expected."""
    ready: Ready | None = None
    """When others may count on it."""
    stop_signal: SignalName = "TERM"
    """The signal that ends it when the trial ends."""
    time_limit: PositiveTime | None = None
    """It fails when it runs longer; default: until the trial ends."""
    memory: PositiveSize | None = None
    """Most memory that each of its processes may ask for; default: no limit."""
    exit_code: Annotated[int, Field(ge=0, le=255, strict=True)] | Literal["any"] = 0
    """The exit code that counts as success, or any."""
    writable: Annotated[tuple[Path, ...], BeforeValidator(_listed), PlainSerializer(list)] = ()
    """Paths that it may write to, beside its folder and /tmp, which are its host's own."""
    to: NodeName | None = None
    """The real host it talks to; what the two exchange is measured as this service's traffic."""
    protocol: Literal["tcp", "udp", "icmp", "any"] = "any"
    """Which of that traffic."""
    port: PortNumber | None = None
    """The port at `to` of that traffic; default: every port."""
    slice_: Name | None = Field(default=None, alias="slice")
    """The slice that carries that traffic."""

    # What other kinds of service state, and a command has only one way of.
    pairs: ClassVar[None] = None
    count: ClassVar[int] = 1
    stop: ClassVar[None] = None
    path: ClassVar[None] = None
    transport: ClassVar[None] = None
    priority: ClassVar[int] = 0
    modelled: ClassVar[bool] = False

    @property
    def from_(self) -> tuple[str, ...]:
        """Where its traffic comes from."""
        return (self.node,)

    @property
    def slice(self) -> str | None:
        """Name of the slice that carries its traffic, or None."""
        return self.slice_

    @model_validator(mode="after")
    def _traffic_stated(self) -> Command:
        stated = [key for key in ("port", "slice_") if getattr(self, key) is not None]
        stated += ["protocol"] if self.protocol != "any" else []
        if stated and self.to is None:
            key = stated[0].rstrip("_")
            raise Mistake(f"{key} without to", "to: the host it talks to", at=(key,))
        if self.port is not None and self.protocol not in ("tcp", "udp"):
            raise Mistake(f"a port of protocol {self.protocol}", "protocol: tcp or udp", at=("port",))
        return self
