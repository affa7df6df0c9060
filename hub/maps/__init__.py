"""Our own maps: built from one OpenStreetMap extract, needing no outside service."""
