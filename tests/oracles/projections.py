"""Seeded positions in each CRS's area of use, and where PROJ puts them.

Prints a JSON array a line: [code, longitude, latitude, east, north].
"""

import json
import random
import sys

from pyproj import CRS, Transformer


def main(count, seed, codes):
    rng = random.Random(seed)
    for code in codes:
        area = CRS.from_epsg(code).area_of_use
        # Of all transforms the one without grids, which nobody has to install.
        transformer = Transformer.from_crs(4326, code, always_xy=True, allow_ballpark=True)
        for _ in range(count):
            longitude = rng.uniform(area.west, area.east)
            latitude = rng.uniform(max(area.south, -85), min(area.north, 85))
            east, north = transformer.transform(longitude, latitude)
            print(json.dumps([code, longitude, latitude, east, north]))


main(int(sys.argv[1]), int(sys.argv[2]), [int(code) for code in sys.argv[3:]])
