"""What a business says of its bucket."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

# Bucket names: 3 to 63 of these, beginning and ending with a letter or digit
# (Amazon S3 User Guide, "General purpose bucket naming rules", read 2026-11).
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class S3Settings(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    endpoint_url: str = Field(
        default="",
        title="Address of the storage",
        description="Empty for Amazon S3. Else as your provider names it: https://s3.example.com",
        max_length=300,
    )
    region: str = Field(
        default="us-east-1",
        title="Region",
        description="As the storage calls it, e.g. eu-central-1; many others call it us-east-1",
        pattern=r"^[A-Za-z0-9-]{1,40}$",
    )
    bucket: str = Field(
        title="Bucket",
        description="Its name; make it in the storage first, for this alone",
        min_length=1,
        max_length=63,
    )
    prefix: str = Field(
        default="",
        title="Folder in the bucket",
        description="Empty: the bucket holds nothing but proof",
        max_length=100,
    )
    access_key_id: str = Field(
        title="Access key",
        description="Of an account that may read, write, list and delete in this bucket only",
        min_length=1,
        max_length=200,
    )
    secret_access_key: SecretStr = Field(
        title="Secret key", description="Shown once, when the access key is made"
    )
    path_style: bool = Field(
        default=False,
        title="The bucket's name goes into the path",
        description="Tick it for storage of your own, such as MinIO; not for Amazon S3",
    )
    encryption: Literal["bucket_default", "sse_s3", "sse_kms"] = Field(
        default="bucket_default",
        title="Encryption at rest",
        json_schema_extra={
            "labels": {
                "bucket_default": "As the bucket is set",
                "sse_s3": "With keys of the storage (SSE-S3)",
                "sse_kms": "With a KMS key (SSE-KMS)",
            }
        },
    )
    kms_key_id: str = Field(
        default="",
        title="KMS key",
        description="Only for encryption with a KMS key; empty: the account's own key for S3",
        pattern=r"^[\x21-\x7e]{0,300}$",
    )

    @field_validator("endpoint_url")
    @classmethod
    def names_a_server(cls, url: str) -> str:
        if not url:
            return url
        at = urlsplit(url)
        if at.scheme not in ("https", "http") or not at.hostname:
            raise ValueError("Begin the address with https://.")
        if at.username or at.path.strip("/") or at.query or at.fragment:
            raise ValueError("The address alone: bucket, folder and keys go into their own fields.")
        return f"{at.scheme}://{at.netloc}"

    @field_validator("bucket")
    @classmethod
    def can_be_a_bucket(cls, bucket: str) -> str:
        if not BUCKET.fullmatch(bucket):
            raise ValueError("Only small letters, digits, dots and hyphens; at least three.")
        return bucket

    @field_validator("prefix")
    @classmethod
    def is_a_plain_folder(cls, prefix: str) -> str:
        prefix = prefix.strip("/")
        if prefix and not FOLDER.fullmatch(prefix):
            raise ValueError("Only letters, digits, dots, hyphens and underscores, parted by /.")
        return prefix
