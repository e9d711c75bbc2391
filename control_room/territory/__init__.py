"""The map of the wall, from a GeoJSON or from coordinates of the municipios."""
