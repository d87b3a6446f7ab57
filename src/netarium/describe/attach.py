"""Ways out: where an external node of an emulated trial meets a network that exists."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from netarium.describe.part import Part
from netarium.errors import Mistake

INTERFACE_LETTERS_MAX = 15  # IFNAMSIZ of Linux (include/uapi/linux/if.h) less the closing NUL
VXLAN_PORT = 4789  # RFC 7348 section 8
_INTERFACE = re.compile(r"[^\s/:]+")


def _check_interface(value: str) -> str:
    if len(value) > INTERFACE_LETTERS_MAX or not _INTERFACE.fullmatch(value) or value in (".", ".."):
        raise Mistake(repr(value), "the name of an interface of this machine, such as eth1", "see: ip link")
    return value


def _check_address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise Mistake(repr(value), "an IP address, such as 192.0.2.7") from None


InterfaceName = Annotated[str, AfterValidator(_check_interface)]
Address = Annotated[str, AfterValidator(_check_address)]


def _check_prefixes(value: Any) -> Any:
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)):
        return listed
    checked = []
    for index, text in enumerate(listed):
        at = () if isinstance(value, str) else (index,)
        try:
            checked.append(str(ipaddress.ip_network(text)))
        except (ValueError, TypeError) as error:
            hint = str(ipaddress.ip_network(text, strict=False)) if "host bits" in str(error) else ""
            hint = f"its prefix is {hint}" if hint else ""
            raise Mistake(repr(text), "a prefix, such as 10.2.0.0/16", hint, at=at) from None
    return tuple(checked)


_TEXT = {"type": "string"}
Prefixes = Annotated[
    tuple[str, ...],
    BeforeValidator(_check_prefixes),
    PlainSerializer(list),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]


class Vxlan(Part):
    """A tunnel to another facility (RFC 7348): the same `vni` and each other's address at both ends."""

    vni: Annotated[int, Field(ge=1, le=2**24 - 1, strict=True)]
    """Number of the virtual network, the same at both ends."""
    remote: Address
    """Address of the other facility's machine."""
    port: Annotated[int, Field(ge=1, le=65535, strict=True)] = VXLAN_PORT
    """UDP port of the tunnel."""
    local: Address | None = None
    """Address of this machine that the tunnel leaves from; default: as this machine routes."""
    interface: InterfaceName | None = None
    """Interface of this machine that the tunnel leaves by; default: as this machine routes."""


class Attach(Part):
    """What an external node is: exactly one of an interface, NAT, and a tunnel."""

    interface: InterfaceName | None = None
    """An interface of this machine; the trial takes it for the time of the run."""
    nat: Literal[True] | None = None
    """The machine's own network, by address translation: connections go out, none come in."""
    vxlan: Vxlan | None = None
    """A tunnel to another facility."""
    prefixes: Prefixes = ()
    """What lies behind it, such as 10.2.0.0/16; default: everything of nobody in the trial, for the NAT or the only way out."""

    @property
    def kind(self) -> str:
        """interface, nat or vxlan."""
        return next(word for word in ("interface", "nat", "vxlan") if getattr(self, word))

    @model_validator(mode="after")
    def _exactly_one(self) -> Attach:
        stated = [word for word in ("interface", "nat", "vxlan") if getattr(self, word)]
        if len(stated) != 1:
            raise Mistake(" and ".join(stated) or "none", "exactly one of interface, nat and vxlan")
        return self
