"""The plugins every hub has. They come in by the same door as anybody's."""

from hub import EtaModel, Geocoder, PodStore, RoutingStrategy, TravelTimes, hookimpl


@hookimpl
def hub_geocoders() -> list[type[Geocoder]]:
    from hub.plugins.geocode_http import HttpGeocoder
    from hub.plugins.geocode_osm import OsmGeocoder

    return [OsmGeocoder, HttpGeocoder]


@hookimpl
def hub_travel_times() -> list[type[TravelTimes]]:
    from hub.plugins.travel_crow import CrowTravelTimes
    from hub.plugins.travel_http import HttpTravelTimes
    from hub.plugins.travel_osrm import OsrmTravelTimes
    from hub.plugins.travel_traffic import TrafficTravelTimes
    from hub.plugins.travel_valhalla import ValhallaTravelTimes

    return [
        OsrmTravelTimes,
        CrowTravelTimes,
        HttpTravelTimes,
        TrafficTravelTimes,
        ValhallaTravelTimes,
    ]


@hookimpl
def hub_routing_strategies() -> list[type[RoutingStrategy]]:
    from hub.plugins.routing_nearest import NearestRouting
    from hub.plugins.routing_ortools import OrtoolsRouting
    from hub.plugins.routing_pyvrp import PyvrpRouting

    return [PyvrpRouting, OrtoolsRouting, NearestRouting]


@hookimpl
def hub_pod_stores() -> list[type[PodStore]]:
    from hub.plugins.pod_disk import DiskPodStore
    from hub.plugins.pod_s3 import S3PodStore

    return [DiskPodStore, S3PodStore]


@hookimpl
def hub_eta_models() -> list[type[EtaModel]]:
    from hub.plugins.eta_forward import ForwardEta

    return [ForwardEta]
