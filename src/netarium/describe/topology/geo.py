"""Distances on the earth, delays of fibre, and where nodes are drawn.

Great circles are on a sphere of the mean earth radius (IUGG, 6371.0088 km), within 0.56 % of the ellipsoid.
Light in fibre takes 5 us/km (group index 1.499; G.652 fibre has 1.467 to 1.468, that is 4.9 us/km). A fibre
is longer than the great circle: the route factor says how much, and is always stated where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import asin, atan2, cos, degrees, fsum, hypot, radians, sin, sqrt
from typing import Protocol

EARTH_RADIUS_M = 6_371_008.8
FIBRE_PS_PER_M = 5_000
ROUTE_FACTOR = 1.5

Position = tuple[float, float]


class Located(Protocol):
    """What drawing needs of a node: latitude and longitude in degrees, or None."""

    @property
    def location(self) -> Sequence[float] | None: ...


class Joined(Protocol):
    """What drawing needs of a link: the names of its two ends."""

    @property
    def endpoints(self) -> Sequence[str]: ...


def great_circle(a: Sequence[float], b: Sequence[float]) -> float:
    """Distance in m between two (latitude, longitude) in degrees; haversine formula (Sinnott 1984)."""
    lat_a, lon_a, lat_b, lon_b = (radians(angle) for angle in (*a, *b))
    chord = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, chord)))


def fibre_length(a: Sequence[float], b: Sequence[float], route_factor: float = ROUTE_FACTOR) -> float:
    """Length in m of a fibre between two (latitude, longitude): great circle times the route factor."""
    return great_circle(a, b) * route_factor


def fibre_delay(length_m: float) -> int:
    """Propagation delay in ps of a fibre of this length in m, at 5 us/km."""
    return round(length_m * FIBRE_PS_PER_M)


def centroid(places: Iterable[Sequence[float]]) -> tuple[float, float]:
    """The (latitude, longitude) in the middle: the mean of the directions from the earth's centre."""
    angles = [(radians(place[0]), radians(place[1])) for place in places]
    x = fsum(cos(lat) * cos(lon) for lat, lon in angles)
    y = fsum(cos(lat) * sin(lon) for lat, lon in angles)
    z = fsum(sin(lat) for lat, _ in angles)
    return degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x))


def positions(nodes: Mapping[str, Located], links: Iterable[Joined]) -> dict[str, Position]:
    """Where to draw each node: x to the east (right), y to the north (up).

    Nodes with a location are projected (equirectangular, scaled by the cosine of the middle latitude, cut
    where the map is emptiest); those without are put beside their neighbours. Without any location the layout
    follows from the links alone. The longer side of the drawing spans 0 to 1 and the aspect is kept. The same
    network always gives the same positions.
    """
    from netarium.describe.topology import layout

    pairs = [(link.endpoints[0], link.endpoints[1]) for link in links]
    places = {name: node.location for name, node in nodes.items() if node.location is not None}
    spread = _spread(places)
    if len(places) >= 2 and spread > 0:
        fixed = layout.apart(project(places))
        return _unit(layout.complete(list(nodes), pairs, fixed))
    groups = {name: frozenset(getattr(node, "groups", ()) or ()) for name, node in nodes.items()}
    return _unit(layout.lay_out(list(nodes), pairs, groups))


def project(places: Mapping[str, Sequence[float]]) -> dict[str, Position]:
    """Equirectangular x, y (in degrees of latitude) of named (latitude, longitude)."""
    if not places:
        return {}
    latitudes = [place[0] for place in places.values()]
    scale = max(0.05, cos(radians((min(latitudes) + max(latitudes)) / 2)))
    cut = _cut(place[1] for place in places.values())
    return {
        name: ((place[1] % 360.0 - cut) % 360.0 * scale, float(place[0])) for name, place in places.items()
    }


def _cut(longitudes: Iterable[float]) -> float:
    """The longitude at which to cut the map open: just east of the widest gap between neighbours."""
    around = sorted({longitude % 360.0 for longitude in longitudes})
    gaps = [(around[(i + 1) % len(around)] - value) % 360.0 or 360.0 for i, value in enumerate(around)]
    widest = max(range(len(around)), key=lambda i: gaps[i])
    return around[(widest + 1) % len(around)]


def _spread(places: Mapping[str, Sequence[float]]) -> float:
    latitudes = [place[0] for place in places.values()]
    longitudes = [place[1] for place in places.values()]
    if not places:
        return 0.0
    return max(max(latitudes) - min(latitudes), max(longitudes) - min(longitudes))


def _unit(drawn: dict[str, Position]) -> dict[str, Position]:
    """The same drawing moved to the origin, its longer side scaled to 1."""
    if not drawn:
        return {}
    low_x, low_y = min(x for x, _ in drawn.values()), min(y for _, y in drawn.values())
    extent = max(max(x - low_x for x, _ in drawn.values()), max(y - low_y for _, y in drawn.values()))
    scale = 1.0 / extent if extent > 0 else 1.0
    return {name: ((x - low_x) * scale, (y - low_y) * scale) for name, (x, y) in drawn.items()}
