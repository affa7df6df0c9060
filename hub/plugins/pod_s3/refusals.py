"""What a storage's refusal means for the business, and at which setting it is shown.

Codes: Amazon S3 API Reference, "Error responses"; the same in MinIO and Ceph (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub import AuthError, ConfigError, HubError, RateLimited, Unavailable

PAUSE_S = 10.0
"""After SlowDown, which names no time."""

RIGHTS = {
    "PutObject": ("write", "s3:PutObject"),
    "GetObject": ("read", "s3:GetObject"),
    "HeadObject": ("read", "s3:GetObject"),
    "DeleteObject": ("delete", "s3:DeleteObject"),
    "ListObjectsV2": ("list what is in it", "s3:ListBucket"),
    "ListObjectVersions": (
        "remove the old versions it keeps",
        "s3:ListBucketVersions and s3:DeleteObjectVersion",
    ),
}
UNKNOWN_KEY = {"InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "TokenRefreshRequired"}
WRONG_REGION = {
    "AuthorizationHeaderMalformed",
    "PermanentRedirect",
    "IllegalLocationConstraintException",
    "301",
}
NO_ENCRYPTION = {
    "InvalidEncryptionAlgorithmError",
    "ServerSideEncryptionConfigurationNotFoundError",
}
DAMAGED = {"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "IncompleteBody"}
PASSING = {"RequestTimeout", "OperationAborted", "ConditionalRequestConflict"}
"""With 400 or 409, though the same request may do well a moment later."""


def meaning(answer: Mapping[str, Any], doing: str, bucket: str, region: str, who: str) -> HubError:
    """The hub's error for an answer of 3xx, 4xx or 5xx as botocore read it.

    Never ``Refused``: that is said of a file, and no storage knows what is wrong with one.
    ``doing``: the operation's name. ``who``: what people know the storage by.
    """
    error, status = answer.get("Error", {}), _status(answer)
    code, said = str(error.get("Code", "")), str(error.get("Message", ""))[:200]
    if code == "NoSuchBucket":
        return ConfigError(
            f"There is no bucket {bucket} at {who}. Look at its name.", field="bucket"
        )
    if code in UNKNOWN_KEY:
        return AuthError(f"{who} does not know this access key.", field="access_key_id")
    if code == "SignatureDoesNotMatch":
        return AuthError(
            "The secret key does not belong to the access key. Enter both again.",
            field="secret_access_key",
        )
    if code in WRONG_REGION:
        return ConfigError(_other_region(answer, bucket, region), field="region")
    if code == "RequestTimeTooSkewed":
        return ConfigError(
            f"The clock of this machine is not that of {who}: they differ by more than 15 minutes."
            " Ask the operator to set it."
        )
    if code.startswith("KMS.") or code in NO_ENCRYPTION:
        return ConfigError(f"{who} cannot encrypt as is set here: {said}", field="encryption")
    if code in DAMAGED:
        return Unavailable(f"What was sent to {who} did not arrive as it left. Try again.")
    if code in PASSING:
        return Unavailable(f"{who} did not get to the end of it ({code}). Try again.")
    if "Quota" in code:
        return ConfigError(
            f"{who} takes no more files: the bucket {bucket} is full ({code}). Make room there, or"
            " raise its quota.",
            field="bucket",
        )
    if code == "SlowDown" or status == 429:
        return RateLimited(f"{who} asks for a pause.", retry_after=PAUSE_S)
    if status >= 500 and code != "NotImplemented":
        return Unavailable(f"{who} answered {status}. Try again later.")
    if code in ("AccessDenied", "403", "AllAccessDisabled", "AccountProblem"):
        what, right = RIGHTS.get(doing, ("do this", doing))
        return AuthError(
            f"This key may not {what} in the bucket {bucket}. Give it {right}.",
            field="access_key_id",
        )
    return ConfigError(
        f"{who} says no: {status} {code} {said}".rstrip(" .:")
        + f". Look at how the bucket {bucket} is set up there."
    )


def other_region(there: str, bucket: str, region: str) -> ConfigError:
    return ConfigError(
        f"The bucket {bucket} is in the region {there}, not in {region}.", field="region"
    )


def _other_region(answer: Mapping[str, Any], bucket: str, region: str) -> str:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    there = answer.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region")
    if there:
        return str(other_region(str(there), bucket, region))
    return f"The bucket {bucket} is not in the region {region}. Look at its properties."


def _status(answer: Mapping[str, Any]) -> int:
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
