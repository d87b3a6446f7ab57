"""What a frame is: its headers found, its payload measured, once for a whole train.

Ethernet (IEEE 802.3, one IEEE 802.1Q tag at most), IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293), UDP (RFC 768). What
follows an IPv6 extension header, and fragments of IPv4, are packets without a transport. The virtio-net header in front is
that of virtio 1.2 section 5.1.6.1, ten bytes, little-endian.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from .bytes import get8, get16, get32

ETHERNET_BYTES, TAG_BYTES = 14, 4
IPV4, IPV6, VLAN = 0x0800, 0x86DD, 0x8100
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
NEEDS_CSUM, DATA_VALID = 1, 2
GSO_TCPV4, GSO_TCPV6, GSO_ECN = 1, 4, 0x80


@kernel
def parse(sim, slot, vnet_bytes):
    """Fill the record of a slot from its bytes (frame and bytes are set)."""
    held = sim.slots[slot]
    held.version = 0
    held.protocol = 0
    held.l4 = NONE
    held.tcp_flags = 0
    held.train = 0
    held.partial = 0
    held.l3 = ETHERNET_BYTES
    held.head_bytes = min(ETHERNET_BYTES, held.bytes)
    kind = get16(sim, held.frame + 12)
    if kind == VLAN and held.bytes >= ETHERNET_BYTES + TAG_BYTES:
        held.l3 = ETHERNET_BYTES + TAG_BYTES
        kind = get16(sim, held.frame + 16)
    if kind == IPV4 and held.bytes >= held.l3 + 20:
        parse_ipv4(sim, held)
    elif kind == IPV6 and held.bytes >= held.l3 + 40:
        parse_ipv6(sim, held)
    if held.l4 != NONE:
        parse_transport(sim, held)
    held.payload_bytes = max(0, held.bytes - held.head_bytes)
    held.segment_bytes = held.payload_bytes
    if vnet_bytes:
        parse_vnet(sim, held)


@kernel
def parse_ipv4(sim, held):
    """IPv4: header length, protocol; padding of a short frame is cut off."""
    at = held.frame + held.l3
    length = (get8(sim, at) & 15) * 4
    if get8(sim, at) >> 4 != 4 or length < 20 or held.bytes < held.l3 + length:
        return
    held.version = 4
    held.protocol = get8(sim, at + 9)
    total = get16(sim, at + 2)
    if length <= total < held.bytes - held.l3:
        held.bytes = held.l3 + total
    held.head_bytes = held.l3 + length
    if get16(sim, at + 6) & 0x3FFF == 0:
        held.l4 = held.l3 + length


@kernel
def parse_ipv6(sim, held):
    """IPv6: the transport right behind the fixed header, or none."""
    at = held.frame + held.l3
    if get8(sim, at) >> 4 != 6:
        return
    held.version = 6
    held.protocol = get8(sim, at + 6)
    total = get16(sim, at + 4) + 40
    if 40 < total < held.bytes - held.l3:
        held.bytes = held.l3 + total
    held.head_bytes = held.l3 + 40
    if held.protocol == TCP or held.protocol == UDP or held.protocol == ICMP6:
        held.l4 = held.l3 + 40


@kernel
def parse_transport(sim, held):
    """TCP or UDP header, if it is all there."""
    at = held.frame + held.l4
    room = held.bytes - held.l4
    if held.protocol == TCP and room >= 20:
        length = (get8(sim, at + 12) >> 4) * 4
        if length >= 20 and room >= length:
            held.head_bytes = held.l4 + length
            held.tcp_flags = get8(sim, at + 13)
            held.tcp_seq = get32(sim, at + 4)
            held.check = 16
    elif held.protocol == UDP and room >= 8:
        held.head_bytes = held.l4 + 8
        held.check = 6
    elif (held.protocol == ICMP or held.protocol == ICMP6) and room >= 8:
        held.head_bytes = held.l4 + 8
        held.check = 2
    else:
        held.l4 = NONE


@kernel
def parse_vnet(sim, held):
    """What the host left to be done: the checksum's rest, the cutting of a train."""
    at = held.frame - 10
    held.partial = get8(sim, at) & NEEDS_CSUM
    kind = get8(sim, at + 1) & ~GSO_ECN
    segment = get8(sim, at + 4) | get8(sim, at + 5) << 8
    if (
        (kind == GSO_TCPV4 or kind == GSO_TCPV6)
        and 0 < segment < held.payload_bytes
        and held.protocol == TCP
        and held.l4 != NONE
    ):
        held.segment_bytes = segment
        held.train = 1


@kernel
def segments_of(held):
    """Packets of a slot."""
    if held.train == 0:
        return 1
    return (held.payload_bytes + held.segment_bytes - 1) // held.segment_bytes


@kernel
def payload_of(held, segment):
    """Payload of one segment, bytes."""
    if held.train == 0:
        return held.payload_bytes
    return min(held.segment_bytes, held.payload_bytes - segment * held.segment_bytes)
