"""Days to plan; they are the kit's, which plugin authors have too."""

from hub.testing.days import EIGHT, a_bakery_day, a_street, a_van, any_day, at, between

__all__ = ["EIGHT", "a_bakery_day", "a_street", "a_van", "any_day", "at", "between"]
