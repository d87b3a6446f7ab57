"""How a trial is emulated: how late the engine may be, addresses, isolation, linktest."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator

from netarium.describe.part import Part
from netarium.errors import Mistake
from netarium.units import PositiveTime

IPV4_DEFAULT = "10.0.0.0/8"  # RFC 1918
LINK_BITS = {4: 30, 6: 64}
"""Length of the prefix of each link: two hosts' room in IPv4, a subnet (RFC 4291 section 2.5.4) in IPv6."""


def _prefix(value: str, version: int) -> str:
    example = IPV4_DEFAULT if version == 4 else "fd12:3456:789a::/48"
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        hint = str(ipaddress.ip_network(value, strict=False)) if "host bits" in str(error) else ""
        raise Mistake(repr(value), f"an IPv{version} prefix, such as {example}",
                      f"its prefix is {hint}" if hint else "") from None  # fmt: skip
    if network.version != version or network.prefixlen > LINK_BITS[version]:
        raise Mistake(
            repr(value), f"an IPv{version} prefix of at most {LINK_BITS[version]} bits, such as {example}"
        )
    return str(network)


Ipv4Prefix = Annotated[str, AfterValidator(lambda value: _prefix(value, 4))]
Ipv6Prefix = Annotated[str, AfterValidator(lambda value: _prefix(value, 6))]


class Emulate(Part):
    """What only an emulated run needs to know."""

    tolerance: PositiveTime = 1_000_000_000
    """How late the engine may be, for 99.9 % of the frames; a run that was later is not certifiable."""
    offload: bool = True
    """Let segment trains cross into the engine whole; they are queued, delayed and dropped as single packets."""
    ipv4: Ipv4Prefix = IPV4_DEFAULT
    """Where addresses of links come from, a /30 each."""
    ipv6: Ipv6Prefix | None = None
    """Where IPv6 addresses come from, a /64 each; default: a unique local prefix (RFC 4193) of the trial's name."""
    isolation: Literal["read_only", "none"] = "read_only"
    """read_only: hosts see the machine's files and cannot change them, /tmp is their own; none: they can."""
    link_local: bool = False
    """Give hosts IPv6 link-local addresses too; their kernels then ask for routers now and then (RFC 4861)."""
    linktest: Literal["both", "before", "during", "none"] = "both"
    """When the real hosts probe delay, rate and loss of the network against this description."""
