"""What outside geocoders answer, shaped as the vendors document it: nominatim.org "Output",
photon "docs/api-v1.md", pelias/documentation "response.md" (read 2026-11).
"""

from __future__ import annotations

from typing import Any

NOMINATIM_URL = "/search?format=jsonv2&addressdetails=1&q={q}&countrycodes={country}"


def nominatim(number: str = "10", lat: str = "60.1655", **changes: Any) -> dict[str, Any]:
    place = {
        "place_id": 100149,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0.",
        "osm_type": "node",
        "osm_id": 107775,
        "boundingbox": ["60.1", "60.2", "24.9", "25.0"],
        "lat": lat,
        "lon": "24.9411",
        "display_name": f"{number}, Yrjönkatu, Helsinki, 00120, Suomi",
        "category": "place",
        "type": "house",
        "place_rank": 30,
        "importance": 0.00009,
        "address": {
            "house_number": number,
            "road": "Yrjönkatu",
            "city": "Helsinki",
            "postcode": "00120",
            "country": "Suomi",
            "country_code": "fi",
        },
    }
    return {**place, **changes}


def photon(**is_: Any) -> dict[str, Any]:
    found = {
        "osm_type": "N",
        "osm_id": 1,
        "osm_key": "place",
        "osm_value": "house",
        "type": "house",
        "street": "Yrjönkatu",
        "housenumber": "10",
        "postcode": "00120",
        "city": "Helsinki",
        "country": "Finland",
        "countrycode": "FI",
        **is_,
    }
    geometry = {"type": "Point", "coordinates": [24.9411, 60.1655]}
    return {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": found, "geometry": geometry}],
    }


def pelias(**is_: Any) -> dict[str, Any]:
    found = {
        "gid": "openstreetmap:address:node/1",
        "layer": "address",
        "source": "openstreetmap",
        "name": "Yrjönkatu 10",
        "housenumber": "10",
        "street": "Yrjönkatu",
        "postalcode": "00120",
        "confidence": 1,
        "match_type": "exact",
        "accuracy": "point",
        "country_a": "FIN",
        "locality": "Helsinki",
        "label": "Yrjönkatu 10, Helsinki, Finland",
        **is_,
    }
    geometry = {"type": "Point", "coordinates": [24.9411, 60.1655]}
    return {
        "geocoding": {"version": "0.2"},
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": found, "geometry": geometry}],
    }


ANSWERS = {"nominatim": [nominatim()], "photon": photon(), "pelias": pelias()}
