"""Seeded geometries and boxes, with shapely's word on whether they intersect, and what the rule of
redis-websocket-api 0.4.4 says: whether a vertex is strictly inside.

Prints a JSON array a line: [box, geometry, intersects, has a vertex inside]. Many coordinates are small halves, so that
edges and corners are met exactly; polygons are valid, because of others shapely says nothing certain.
"""

import json
import math
import random
import sys

from shapely.geometry import box, mapping, shape


def coordinate(rng):
    if rng.random() < 0.5:
        return rng.randint(-12, 12) / 2
    return round(rng.uniform(-6, 6), rng.choice([1, 3, 9]))


def position(rng):
    return [coordinate(rng), coordinate(rng)]


def star(rng, center, low, high):
    """A simple ring: its corners go round the center."""
    corners = rng.randint(3, 9)
    angles = sorted(rng.uniform(0, math.tau) for _ in range(corners))
    ring = []
    for angle in angles:
        radius = rng.uniform(low, high)
        ring.append([center[0] + radius * math.cos(angle), center[1] + radius * math.sin(angle)])
    return ring + ring[:1]


def polygon(rng):
    if rng.random() < 0.3:
        left, right = sorted(rng.sample(range(-12, 13), 2))
        bottom, top = sorted(rng.sample(range(-12, 13), 2))
        return mapping(box(left / 2, bottom / 2, right / 2, top / 2))["coordinates"]
    center = position(rng)
    rings = [star(rng, center, 1.5, 6.0)]
    if rng.random() < 0.5:
        rings.append(star(rng, center, 0.3, 1.0))
    return rings


def line(rng):
    return [position(rng) for _ in range(rng.randint(2, 6))]


def many(rng, make):
    return [make(rng) for _ in range(rng.randint(1, 3))]


KINDS = {
    "Point": position,
    "MultiPoint": lambda rng: many(rng, position),
    "LineString": line,
    "MultiLineString": lambda rng: many(rng, line),
    "Polygon": polygon,
    "MultiPolygon": lambda rng: [polygon(rng)],
}


def geometry(rng, depth=0):
    kind = rng.choice([*KINDS, "GeometryCollection"])
    if kind == "GeometryCollection":
        members = [geometry(rng, depth + 1) for _ in range(rng.randint(1, 3))] if depth < 2 else []
        return {"type": kind, "geometries": members}
    return {"type": kind, "coordinates": KINDS[kind](rng)}


def vertices(geometry):
    if geometry["type"] == "GeometryCollection":
        for member in geometry["geometries"]:
            yield from vertices(member)
        return
    nested = [geometry["coordinates"]]
    while nested:
        last = nested.pop()
        if isinstance(last[0], (int, float)):
            yield last
        else:
            nested.extend(last)


def main(count, seed):
    rng = random.Random(seed)
    while count:
        left, right = sorted([coordinate(rng), coordinate(rng)])
        bottom, top = sorted([coordinate(rng), coordinate(rng)])
        # A box without area is a line or a point to shapely, with rules of its own.
        if left == right or bottom == top:
            continue
        drawn = geometry(rng)
        known = shape(drawn)
        if not known.is_valid:
            continue
        intersects = box(left, bottom, right, top).intersects(known)
        inside = any(left < x < right and bottom < y < top for x, y in vertices(drawn))
        print(json.dumps([[left, bottom, right, top], drawn, bool(intersects), inside]))
        count -= 1


main(int(sys.argv[1]), int(sys.argv[2]))
