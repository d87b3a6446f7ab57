"""Trials that the tests of this folder start from, and hypothesis strategies for parts of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

SMALL = """\
trial: small
duration: 10 s
network:
  nodes:
    a: {kind: host, groups: [west]}
    b: {kind: host, groups: [east]}
    c: {kind: host, groups: [east]}
    r:
  links:
    - {endpoints: [a, r], rate: 1 Gbit/s, delay: 1 ms}
    - {endpoints: [r, b], rate: 1 Gbit/s, length: 200 km}
    - {endpoints: [r, c], rate: 100 Mbit/s, delay: 1 ms}
services:
  one: {kind: bulk, from: a, to: b}
  two: {kind: stream, from: a, to: c, rate: 10 Mbit/s}
"""

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,12}", fullmatch=True)
_COUNTS = st.integers(1, 1000)


def _times(most: int = 9) -> st.SearchStrategy[str]:
    return st.builds("{} {}".format, st.integers(1, most), st.sampled_from(["s", "ms", "us", "ns", "ps"]))


def _rates() -> st.SearchStrategy[str]:
    units = st.sampled_from(["Gbit/s", "Mbit/s", "kbit/s", "MB/s", "KiB/s"])
    return st.builds("{} {}".format, st.integers(1, 400), units)


def _sizes(least: int = 1) -> st.SearchStrategy[str]:
    units = st.sampled_from(["kB", "MB", "GB", "KiB", "MiB"])
    return st.builds("{} {}".format, st.integers(least, 5000), units)


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def _with(required: dict[str, Any], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return _optional(**optional).map(lambda stated: {**required, **stated})


QUEUES = st.one_of(
    _with({"kind": "pfifo"}, limit=_COUNTS),
    _sizes(2).map(lambda size: {"kind": "bfifo", "limit": size}),
    st.just("codel"),
    _with({"kind": "fq_codel"}, flows=_COUNTS, ecn=st.booleans(), target=_times()),
    _with({"kind": "prio"}, child=_with({"kind": "pie"}, ecn=st.booleans())),
    st.just(
        {"kind": "drr", "classes": {"x": {"weight": 2.5, "priorities": [1, 2]}, "y": {"quantum": "3 kB"}}}
    ),
    st.just({"kind": "htb", "classes": {"x": {"rate": "1 Mbit/s", "ceil": "2 Mbit/s"}}, "default": "x"}),
)
LOSSES = st.one_of(
    st.floats(0, 1),
    st.just("1 %"),
    st.just({"kind": "gilbert_elliott", "p": 0.01, "r": "20 %"}),
    st.just({"kind": "periodic", "every": 7}),
)
IMPAIRMENTS = _optional(
    loss=LOSSES,
    jitter=_with({"delay": "1 ms"}, distribution=st.sampled_from(["uniform", "normal", "pareto"])),
    reorder=_with({"probability": "1 %"}, gap=_COUNTS),
    duplicate=st.floats(0, 1),
    corrupt=st.floats(0, 1),
)
TRANSPORTS = st.one_of(
    st.just("udp"),
    _optional(
        congestion=st.sampled_from(["reno", "cubic", "bbr", "dctcp"]),
        sack=st.booleans(),
        pacing=st.booleans(),
        delayed_ack=st.one_of(st.just(False), st.just({"every": 1}), st.just(True)),
        send_buffer=st.one_of(st.just("auto"), _sizes()),
        initial_window=_COUNTS,
        min_rto=_times(),
        mss=st.integers(64, 1400),
    ),
)
_COMMON = {
    "start": _times(5),
    "count": _COUNTS,
    "transport": TRANSPORTS,
    "priority": st.integers(0, 15),
}
SERVICES = st.one_of(
    _with({"kind": "bulk", "from": "a", "to": "b"}, size=_sizes(), streams=_COUNTS, **_COMMON),
    _with({"kind": "bulk", "from": ["a", "b"], "to": "east", "pairs": "all"}, **_COMMON),
    _with({"kind": "stream", "from": "a", "to": "c", "rate": "3 Mbit/s"}, size=_sizes(), **_COMMON),
    _with(
        {"kind": "stream", "from": "a", "to": "c", "rate": "3 Mbit/s", "pattern": "on_off"}
        | {"on": "1 ms", "off": "9 ms"},
        **_COMMON,
    ),
    _with(
        {"kind": "request_response", "from": "a", "to": "b", "sizes": "websearch", "load": "30 %"}, **_COMMON
    ),
    _with(
        {"kind": "request_response", "from": "a", "to": "b", "sizes": "20 kB", "arrivals": "10 /s"}, **_COMMON
    ),
    _with(
        {"kind": "demands", "matrix": "gravity", "total": "1 Gbit/s"},
        using=st.sampled_from(["bulk", "stream"]),
    ),
)
EVENTS = st.one_of(
    _times().map(lambda at: {"at": at, "kind": "link_down", "link": "a-r"}),
    _times().map(lambda at: {"at": at, "kind": "link_up", "link": ["r", "b"]}),
    _times().map(lambda at: {"at": at, "kind": "node_down", "node": "r"}),
    IMPAIRMENTS.map(lambda some: {"at": "1 s", "kind": "impairment", "link": "a-r", "impairments": some}),
    _rates().map(lambda rate: {"at": "1 s", "kind": "rate_change", "link": "a-r", "rate": rate}),
)
LINKS = st.fixed_dictionaries(
    {"endpoints": st.sampled_from([["a", "r"], ["r", "b"], ["c", "r"]]), "rate": _rates()},
    optional={
        "queue": QUEUES,
        "impairments": IMPAIRMENTS,
        "overhead": st.just("38 B"),
        "weight": st.floats(0.1, 100),
        "forward": _optional(rate=_rates(), queue=QUEUES),
    },
).flatmap(
    lambda link: st.sampled_from([{"delay": "1 ms"}, {"length": "55.5 km"}]).map(lambda d: {**link, **d})
)


@st.composite
def trials(draw: st.DrawFn) -> dict[str, Any]:
    """Plain data of a trial that loads."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique_by=str.lower))
    return {
        "trial": draw(NAMES),
        "title": draw(st.text(max_size=20)),
        "duration": "10 s",
        "seed": draw(st.integers(0, 2**63 - 1)),
        "network": {
            "nodes": {"a": {"kind": "host"}, "b": {"kind": "host", "groups": ["east"]}, "c": None, "r": {}},
            "links": [
                {"endpoints": ["a", "r"], "rate": "1 Gbit/s", "delay": "1 ms", "name": "a-r"},
                {"endpoints": ["r", "b"], "rate": "1 Gbit/s", "delay": "1 ms"},
                {"endpoints": ["r", "c"], "rate": "1 Gbit/s", "delay": "1 ms"},
                *draw(st.lists(LINKS.filter(lambda link: link["endpoints"] != ["r", "b"]), max_size=2)),
            ],
        },
        "transport": draw(TRANSPORTS),
        "services": {
            name: draw(SERVICES) for name in names if name not in ("links", "slices", "engine", "expect")
        }
        | {"last": {"kind": "bulk", "from": "a", "to": "b", "slice": "s"}},
        "slices": {"s": {"from": "a", "to": "b", "bandwidth": draw(_rates()), "loss": draw(st.floats(0, 1))}},
        "events": draw(st.lists(EVENTS, max_size=2)),
        "expect": [
            {"metric": "last.goodput", "from": "1 s", "at_least": draw(_rates())},
            {"metric": "last.flows", "equals": 1, "within": "5 %"},
            {"slice": "s", "certified": draw(st.booleans())},
        ],
    }
