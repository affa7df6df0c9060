"""Proof in a bucket: Amazon S3, or any storage that speaks its protocol."""

from hub.plugins.pod_s3.store import S3PodStore

__all__ = ["S3PodStore"]
