"""Words that other tools and other people have for keys of a trial, and what they are called here."""

from __future__ import annotations

from collections.abc import Collection, Sequence

CALLED: dict[str, Sequence[str]] = {
    **dict.fromkeys(("bandwidth", "bw", "capacity", "speed", "throughput"), ("rate", "bandwidth")),
    "rate": ("bandwidth",),
    **dict.fromkeys(("latency", "propagation"), ("delay", "latency")),
    **dict.fromkeys(("delay", "max_delay", "max_latency"), ("latency",)),
    **dict.fromkeys(("jitter", "delay_jitter", "ipdv"), ("delay_variation", "impairments")),
    **dict.fromkeys(("src", "source", "client", "sender"), ("from",)),
    **dict.fromkeys(("dst", "dest", "destination", "server", "receiver", "target"), ("to",)),
    **dict.fromkeys(("loss", "packet_loss", "reorder", "duplicate", "corrupt"), ("impairments",)),
    **dict.fromkeys(("congestion", "congestion_control", "cc", "tcp", "ecn"), ("transport",)),
    **dict.fromkeys(("qdisc", "buffer", "aqm", "discipline"), ("queue",)),
    **dict.fromkeys(("command", "cmd", "args", "exec"), ("argv",)),
    **dict.fromkeys(("nodes", "ends"), ("endpoints",)),
    **dict.fromkeys(("length", "time", "runtime"), ("duration",)),
    **dict.fromkeys(("begin", "at"), ("start",)),
    "distance": ("length",),
}
"""Word -> keys that can be meant by it; the first that a part has is."""

INSIDE = {
    ("impairments", "jitter"): "impairments: {jitter: {delay: …}}",
    ("transport", "congestion"): "transport: {congestion: …}",
    ("transport", "ecn"): "transport: {ecn: …}",
    **{("impairments", word): f"impairments: {{{word}: …}}" for word in ("loss", "reorder", "duplicate", "corrupt")},
}  # fmt: skip
"""(key, word) -> how the word is written, where it is a key below the key."""
NAMED_BY_SERVICE = "a service names its slice: services.NAME.slice"


def called(word: str, fields: Collection[str]) -> str | None:
    """The key that a word means where `fields` are the keys there are; None when it means none of them."""
    return next((key for key in CALLED.get(word, ()) if key in fields), None)


def hint(word: str, fields: Collection[str]) -> str:
    """What to write instead of a word, or an empty text."""
    if word in ("service", "services") and {"latency", "delay_variation"} <= set(fields):
        return NAMED_BY_SERVICE
    key = called(word, fields)
    if key is None:
        return ""
    return f"write {INSIDE[key, word]}" if (key, word) in INSIDE else f"here it is called {key!r}"
