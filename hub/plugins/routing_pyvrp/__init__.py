"""Routes by PyVRP's iterated local search, the best of what was measured."""

from hub.plugins.routing_pyvrp.strategy import PyvrpRouting

__all__ = ["PyvrpRouting"]
