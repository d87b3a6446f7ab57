"""The reference backbone: a synthetic network of 40 Chinese cities, at least 55,000 km of fibre, 100 Gbit/s.

Synthetic: the cities are real, with the coordinates of their centres to about 0.05 degrees; the links were
chosen for this project along usual routes between neighbouring cities, so that any two cities have two
node-disjoint paths. It is not the network of CENI nor of any operator. Each link is as long as the great
circle between its cities times ROUTE_FACTOR.
"""

from __future__ import annotations

from netarium.describe.topology.draft import Draft
from netarium.describe.topology.geo import fibre_length
from netarium.describe.topology.spec import ReferenceBackbone

ROUTE_FACTOR = 1.5

# name: (label, latitude, longitude), degrees
CITIES: dict[str, tuple[str, float, float]] = {
    "beijing": ("Beijing", 39.90, 116.41),
    "changchun": ("Changchun", 43.82, 125.32),
    "changsha": ("Changsha", 28.23, 112.94),
    "chengdu": ("Chengdu", 30.57, 104.07),
    "chongqing": ("Chongqing", 29.56, 106.55),
    "dalian": ("Dalian", 38.91, 121.61),
    "fuzhou": ("Fuzhou", 26.07, 119.30),
    "guangzhou": ("Guangzhou", 23.13, 113.26),
    "guilin": ("Guilin", 25.27, 110.29),
    "guiyang": ("Guiyang", 26.65, 106.63),
    "haikou": ("Haikou", 20.04, 110.20),
    "hangzhou": ("Hangzhou", 30.27, 120.16),
    "harbin": ("Harbin", 45.80, 126.53),
    "hefei": ("Hefei", 31.82, 117.23),
    "hohhot": ("Hohhot", 40.84, 111.75),
    "jinan": ("Jinan", 36.65, 117.12),
    "kunming": ("Kunming", 25.04, 102.72),
    "lanzhou": ("Lanzhou", 36.06, 103.83),
    "lhasa": ("Lhasa", 29.65, 91.14),
    "nanchang": ("Nanchang", 28.68, 115.86),
    "nanjing": ("Nanjing", 32.06, 118.80),
    "nanning": ("Nanning", 22.82, 108.37),
    "ningbo": ("Ningbo", 29.87, 121.54),
    "qingdao": ("Qingdao", 36.07, 120.38),
    "shanghai": ("Shanghai", 31.23, 121.47),
    "shenyang": ("Shenyang", 41.80, 123.43),
    "shenzhen": ("Shenzhen", 22.54, 114.06),
    "shijiazhuang": ("Shijiazhuang", 38.04, 114.51),
    "suzhou": ("Suzhou", 31.30, 120.58),
    "taiyuan": ("Taiyuan", 37.87, 112.55),
    "tianjin": ("Tianjin", 39.13, 117.20),
    "urumqi": ("Ürümqi", 43.83, 87.62),
    "wuhan": ("Wuhan", 30.59, 114.30),
    "xiamen": ("Xiamen", 24.48, 118.09),
    "xian": ("Xi'an", 34.34, 108.94),
    "xining": ("Xining", 36.62, 101.78),
    "xuzhou": ("Xuzhou", 34.26, 117.19),
    "yichang": ("Yichang", 30.69, 111.29),
    "yinchuan": ("Yinchuan", 38.49, 106.23),
    "zhengzhou": ("Zhengzhou", 34.75, 113.63),
}

_NEIGHBOURS = {
    "beijing": "tianjin shijiazhuang hohhot shenyang jinan",
    "tianjin": "shenyang jinan dalian",
    "shijiazhuang": "taiyuan zhengzhou jinan",
    "hohhot": "taiyuan yinchuan",
    "taiyuan": "xian zhengzhou",
    "shenyang": "dalian changchun",
    "changchun": "harbin",
    "harbin": "dalian",
    "dalian": "qingdao",
    "jinan": "qingdao xuzhou zhengzhou nanjing",
    "qingdao": "xuzhou shanghai",
    "xuzhou": "zhengzhou nanjing hefei",
    "nanjing": "hefei suzhou wuhan hangzhou",
    "suzhou": "shanghai hangzhou",
    "shanghai": "ningbo hangzhou",
    "hangzhou": "ningbo fuzhou hefei",
    "ningbo": "fuzhou",
    "hefei": "wuhan nanchang",
    "fuzhou": "xiamen nanchang",
    "xiamen": "shenzhen",
    "zhengzhou": "xian wuhan",
    "wuhan": "changsha nanchang yichang guangzhou",
    "yichang": "chongqing xian",
    "nanchang": "changsha guangzhou",
    "changsha": "guangzhou guiyang",
    "guangzhou": "shenzhen guilin nanning",
    "shenzhen": "haikou",
    "haikou": "nanning",
    "guilin": "nanning guiyang",
    "nanning": "kunming guiyang",
    "guiyang": "kunming chongqing wuhan",
    "kunming": "chengdu chongqing",
    "chengdu": "chongqing xian lanzhou lhasa",
    "chongqing": "xian",
    "xian": "lanzhou yinchuan",
    "lanzhou": "xining yinchuan urumqi",
    "xining": "lhasa urumqi",
}
LINKS: tuple[tuple[str, str], ...] = tuple(
    (city, other) for city, others in _NEIGHBOURS.items() for other in others.split()
)


def reference_backbone(spec: ReferenceBackbone) -> Draft:
    """40 routers named as their cities (lower case), links with their length, hosts behind each city."""
    draft = Draft()
    for name, (label, latitude, longitude) in CITIES.items():
        draft.node(name, "router", "routers", "cities", label=label, location=(latitude, longitude))
    for a, b in LINKS:
        draft.link(a, b, spec.rate, length=length(a, b), queue=spec.queue)
    draft.say(
        f"reference_backbone is synthetic: {len(CITIES)} real cities, {len(LINKS)} invented links, "
        f"{total_length() / 1000:,.0f} km of fibre (great circle x {ROUTE_FACTOR:g}, 5 us/km)"
    )
    draft.attach_hosts(spec)
    return draft


def length(a: str, b: str) -> float:
    """Fibre between two cities in m, rounded to a km."""
    return round(fibre_length(CITIES[a][1:], CITIES[b][1:], ROUTE_FACTOR) / 1000) * 1000.0


def total_length() -> float:
    """Fibre of all links in m."""
    return sum(length(a, b) for a, b in LINKS)
