"""The real side of a plan: addresses without clashes, routes that lead there, programs that say what the service asks."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from netarium.compile.addresses import link_ends, mac, unique_local_prefix
from netarium.compile.compile import compile_trial
from netarium.compile.hosts import NEVER_PS, Emulation, RealHost
from netarium.describe.loader import loads
from netarium.describe.real import real_nodes
from netarium.errors import TrialInvalid
from netarium.units import SECOND_PS

REAL = {"real": True}


def described(
    nodes: dict[str, Any], links: list[Any], services: dict[str, Any] | None = None, **more: Any
) -> Any:
    """A trial of links (a, b) or (a, b, more keys of the link), 1 Gbit/s and 1 ms each."""
    written = [
        {"endpoints": [a, b], "rate": "1 Gbit/s", "delay": "1 ms", **(rest[0] if rest else {})}
        for a, b, *rest in links
    ]
    data = {
        "trial": "t", "duration": "5 s", "mode": "emulate",
        "network": {"nodes": nodes, "links": written},
        "services": services or {"x": {"kind": "command", "node": next(iter(nodes)), "argv": ["true"]}},
        **more,
    }  # fmt: skip
    return loads(json.dumps(data))


def emulation(*arguments: Any, **more: Any) -> Emulation:
    found = compile_trial(described(*arguments, **more)).emulation
    assert found is not None
    return found


def star(count: int) -> tuple[dict[str, Any], list[Any]]:
    hosts = {f"h{i}": {"kind": "host", **REAL} for i in range(count)}
    return {**hosts, "r": {}}, [(name, "r") for name in hosts]


def test_every_address_is_given_once_and_both_ends_share_a_prefix() -> None:
    trial = described(*star(300))
    ends = link_ends(trial, real_nodes(trial))
    every = [ipaddress.ip_interface(text) for pair in ends.values() for end in pair for text in end.addresses]
    assert len({one.ip for one in every}) == len(every) == 300 * 4
    for one, other in ends.values():
        for a, b in zip(one.addresses, other.addresses, strict=True):
            assert ipaddress.ip_interface(a).network == ipaddress.ip_interface(b).network
    macs = [end.mac for pair in ends.values() for end in pair]
    assert len(set(macs)) == len(macs)
    assert all(int(text[:2], 16) & 3 == 2 for text in macs), "locally administered, one station"


def test_addresses_are_the_same_every_time_and_of_the_trials_name() -> None:
    assert unique_local_prefix("lab") == unique_local_prefix("lab") != unique_local_prefix("lab2")
    assert ipaddress.ip_network(unique_local_prefix("lab")).subnet_of(ipaddress.ip_network("fd00::/8"))
    assert mac(0, 0) == "02:4e:00:00:00:01" and mac(70000, 1) == "02:4e:01:11:70:02"


def test_what_is_stated_is_kept_free_for_it() -> None:
    stated = {"addresses": {"r": "10.0.0.6/29", "h0": ["10.0.0.1/29", "fd00::7/64"]}}
    nodes, links = star(3)
    found = emulation(nodes, [("h0", "r", stated), *links[1:]])
    assert found.host("h0").interfaces[0].addresses == ("10.0.0.1/29", "fd00::7/64")
    assert found.host("h1").interfaces[0].addresses[0] == "10.0.0.9/30", (
        "the next prefix beyond the stated one"
    )


def test_the_other_end_of_a_stated_address_gets_the_next_one() -> None:
    nodes, links = star(2)
    found = emulation(nodes, [("h0", "r", {"addresses": {"r": "192.0.2.1/24"}}), links[1]])
    assert found.host("h0").interfaces[0].addresses[0] == "192.0.2.2/24"


def test_a_small_mtu_leaves_ipv6_out() -> None:
    nodes, links = star(2)
    found = emulation(nodes, [("h0", "r", {"mtu": "1000 B"}), links[1]])
    assert [ipaddress.ip_interface(text).version for text in found.host("h0").interfaces[0].addresses] == [4]


def test_a_used_up_prefix_is_an_error() -> None:
    with pytest.raises(TrialInvalid, match="emulate.ipv4.*used up"):
        emulation(*star(5), emulate={"ipv4": "10.0.0.0/28"})


def follow(found: Emulation, start: str, target: str) -> list[str]:
    """The real hosts a packet passes by their own routes: longest prefix, then the neighbour that has the address."""
    owners = {
        text.split("/")[0]: host for host in found.hosts for one in host.interfaces for text in one.addresses
    }
    here, passed, wanted = found.host(start), [start], ipaddress.ip_address(target)
    while target not in {text.split("/")[0] for one in here.interfaces for text in one.addresses}:
        here = owners[_next(here, wanted)]
        passed.append(here.node)
        assert len(passed) < 20, passed
    return passed


def _next(host: RealHost, wanted: Any) -> str:
    connected = [ipaddress.ip_interface(text) for one in host.interfaces for text in one.addresses]
    if any(wanted in one.network for one in connected if one.version == wanted.version):
        return str(wanted)
    fits = [
        (0 if route.prefix == "default" else ipaddress.ip_network(route.prefix).prefixlen, route.via)
        for route in host.routes
        if ipaddress.ip_address(route.via).version == wanted.version
        and (route.prefix == "default" or wanted in ipaddress.ip_network(route.prefix))
    ]
    return max(fits)[1]


@pytest.mark.parametrize("version", [0, 1])
def test_routes_of_real_routers_lead_everywhere_by_the_shortest_way(version: int) -> None:
    nodes = {
        "a": {"kind": "host", **REAL},
        "b": {"kind": "host", **REAL},
        **{f"r{i}": REAL for i in range(4)},
    }
    links = [
        ("a", "r0"),
        ("r0", "r1"),
        ("r1", "r2"),
        ("r2", "b"),
        ("r0", "r3"),
        ("r3", "r2", {"delay": "9 ms"}),
    ]
    found = emulation(nodes, links)
    target = found.host("b").interfaces[0].addresses[version].split("/")[0]
    assert follow(found, "a", target) == ["a", "r0", "r1", "r2", "b"]
    for host in found.hosts:
        for other in found.hosts:
            for one in other.interfaces:
                follow(found, host.node, one.addresses[version].split("/")[0])
    assert all(host.forwards == host.node.startswith("r") for host in found.hosts)


def test_neighbours_are_the_far_ends() -> None:
    found = emulation({"a": {"kind": "host", **REAL}, "b": {"kind": "host", **REAL}}, [("a", "b")])
    a, b = found.host("a"), found.host("b")
    known = {(one.address, one.mac) for one in a.neighbours}
    assert known == {(text.split("/")[0], b.interfaces[0].mac) for text in b.interfaces[0].addresses}
    assert a.interfaces[0].port == b.interfaces[0].port_in and a.interfaces[0].port_in == b.interfaces[0].port


def test_routes_none_leaves_them_to_a_daemon() -> None:
    nodes = {"a": {"kind": "host", **REAL}, "r": {**REAL, "routes": "none"}, "s": REAL}
    found = emulation(nodes, [("a", "r"), ("r", "s")])
    assert found.host("r").routes == () and found.host("a").routes != ()


def test_what_is_of_nobody_goes_to_the_way_out() -> None:
    nodes = {"a": {"kind": "host", **REAL}, "r": REAL, "net": {"kind": "external", "attach": {"nat": True}}}
    found = emulation(nodes, [("a", "r"), ("r", "net")])
    net = found.host("net")
    assert net.way_out is not None and net.way_out.kind == "nat" and net.forwards
    assert net.interfaces[0].prefixes == ("0.0.0.0/0", "::/0")
    assert [route.prefix for route in found.host("r").routes].count("default") == 2
    assert follow(found, "a", net.interfaces[0].addresses[0].split("/")[0]) == ["a", "r", "net"]


def test_two_facilities_are_joined_by_what_lies_behind_the_tunnel() -> None:
    tunnel = {"vxlan": {"vni": 7, "remote": "192.0.2.7"}, "prefixes": "10.2.0.0/16"}
    nodes = {
        "a": {"kind": "host", **REAL}, "r": REAL,
        "net": {"kind": "external", "attach": {"nat": True}}, "there": {"kind": "external", "attach": tunnel},
    }  # fmt: skip
    found = emulation(nodes, [("a", "r"), ("r", "net"), ("r", "there")], emulate={"ipv4": "10.1.0.0/16"})
    assert found.host("there").interfaces[0].prefixes == ("10.2.0.0/16",)
    assert found.host("net").interfaces[0].prefixes == ("0.0.0.0/0", "::/0")
    routes = {route.prefix: route.via for route in found.host("r").routes if ":" not in route.via}
    assert routes["10.2.0.0/16"] == found.host("there").interfaces[0].addresses[0].split("/")[0]
    assert routes["default"] == found.host("net").interfaces[0].addresses[0].split("/")[0]


# -- programs


def played(**service: Any) -> Emulation:
    nodes, links = star(3)
    return emulation(nodes, links, {"s": {"from": "h0", "to": "h1", **service}})


def words(found: Emulation, role: str) -> list[str]:
    (program,) = [one for one in found.programs if one.role == role]
    return list(program.argv)


def after(argv: list[str], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_a_bulk_transfer_is_iperf3_with_its_control_and_size() -> None:
    found = played(kind="bulk", size="10 MB", streams=4, transport={"congestion": "bbr", "mss": 1200})
    argv = words(found, "client")
    assert after(argv, "-c") == found.host("h1").interfaces[0].addresses[0].split("/")[0]
    assert after(argv, "-n") == "10000000" and after(argv, "-P") == "4"
    assert after(argv, "-C") == "bbr" and after(argv, "-M") == "1200"
    (rule,) = found.rules
    assert (rule.protocol, str(rule.port)) == (6, after(argv, "-p"))
    assert found.packages == (("iperf3", "iperf3"),)


def test_more_streams_than_iperf3_has_are_several_clients_with_a_port_each() -> None:
    found = played(kind="bulk", count=300)
    clients = [one for one in found.programs if one.role == "client"]
    assert [int(after(list(one.argv), "-P")) for one in clients] == [128, 128, 44]
    assert len({rule.port for rule in found.rules}) == 3


def test_a_stream_leaves_out_the_headers_of_its_rate() -> None:
    argv = words(played(kind="stream", rate="10 Mbit/s", packet_size="1000 B"), "client")
    assert "-u" in argv and after(argv, "-l") == "972" and after(argv, "-b") == "9720000"


def test_a_client_that_ends_by_itself_gets_time_for_its_report() -> None:
    whole = [one for one in played(kind="bulk", stop="3 s").programs if one.role == "client"][0]
    assert whole.stop_ps == 4 * SECOND_PS
    part = [one for one in played(kind="bulk", stop="2.5 s").programs if one.role == "client"][0]
    assert part.stop_ps == 2_500_000_000_000 and part.stop_signal == "INT"


def test_requests_are_poisson_clients_of_all_their_servers() -> None:
    nodes, links = star(3)
    service = {
        "kind": "request_response",
        "from": ["h0", "h1"],
        "to": "h2",
        "sizes": "20 kB",
        "arrivals": "5 /s",
    }
    found = emulation(nodes, links, {"s": service})
    asked = json.loads(words(found, "client")[-1])
    assert asked["arrivals_per_s"] == 10.0 and asked["sizes"] == [[20000.0, 0.0], [20000.0, 1.0]]
    assert [port for _, port, _ in asked["servers"]] == sorted(rule.port for rule in found.rules)
    assert all(rule.answers for rule in found.rules), "the data is what the servers answer"
    servers = [one for one in found.programs if one.role == "server"]
    assert all(one.start_ps < 0 for one in servers), "they listen when the trial begins"


def test_a_command_is_what_the_user_wrote() -> None:
    nodes, links = star(2)
    service = {
        "kind": "command",
        "node": "h0",
        "argv": ["ping", "h1"],
        "to": "h1",
        "protocol": "icmp",
        "exit_code": "any",
    }
    found = emulation(nodes, links, {"s": service})
    (program,) = found.programs
    assert program.argv == ("ping", "h1") and program.exit_code is None and program.stop_ps == NEVER_PS
    assert {rule.protocol for rule in found.rules} == {1, 58}, "ICMP of both families"


def test_modelled_services_stay_sources_and_real_ones_are_none() -> None:
    nodes, links = star(4)
    services = {
        "real": {"kind": "bulk", "from": "h0", "to": "h1"},
        "crowd": {"kind": "bulk", "from": "h2", "to": "h3", "count": 100, "modelled": True},
    }
    plan = compile_trial(described(nodes, links, services))
    assert len(plan.arrays["sources"]) == 100 and set(plan.arrays["sources"]["service"]) == {1}
    assert plan.service_names == ("real", "crowd") and plan.service_header_bytes.tolist() == [52, 52]


def test_the_digest_of_a_plan_covers_what_is_real() -> None:
    nodes, links = star(2)
    digests = {
        compile_trial(
            described(nodes, links, {"s": {"kind": "command", "node": "h0", "argv": [word]}})
        ).digest
        for word in ("true", "false", "true")
    }
    assert len(digests) == 2
