"""A real S3 server on a loopback port, with faults that can be put in front of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from hub import PodStore, hookimpl
from hub.app import Hub
from hub.flows.proof_store import choose_store
from hub.http import Http
from hub.plugins.pod_disk import DiskPodStore
from hub.plugins.pod_s3 import S3PodStore

KEY, SECRET = "AKIAHUSKBAKERY000001", "sEcretOfTheBakery/abcdefghijklmnopqrstuv"
REGION = "eu-north-1"


class Stores:
    """Both stores that come with the hub."""

    __name__ = "stores"

    @hookimpl
    def hub_pod_stores(self) -> list[type[PodStore]]:
        return [DiskPodStore, S3PodStore]


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass
class Storage:
    """``faults`` are answered one after the other before the storage itself is asked.

    A number is an HTTP status, a name an S3 error code; ``cut`` breaks the answer off half-way.
    """

    url: str = ""
    faults: list[str | int] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)  # (method, path)
    headers: list[dict[str, str]] = field(default_factory=list)
    page_size: int = 1000

    def client(self, key: str = KEY, secret: str = SECRET, service: str = "s3") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    def bucket(self, name: str) -> None:
        self.client().create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )

    def objects(self, bucket: str) -> dict[str, bytes]:
        client = self.client()
        listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            one["Key"]: client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for one in listed
        }

    def settings(self, bucket: str, **more: Any) -> dict[str, Any]:
        return {
            "endpoint_url": self.url,
            "region": REGION,
            "bucket": bucket,
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            "path_style": True,
            **more,
        }

    def user(self, *actions: str) -> tuple[str, str]:
        """A key that may do these things and no others."""
        iam = self.client(service="iam")
        name = f"user{len(iam.list_users()['Users'])}"
        iam.create_user(UserName=name)
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
        }
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]


class _Front:
    """Answers a fault, or lets the storage answer."""

    def __init__(self, storage: Storage) -> None:
        self.storage, self.app = storage, DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        with self.lock:
            self.storage.seen.append((method, path))
            self.storage.headers.append(
                {name[5:].lower(): str(v) for name, v in environ.items() if name[:5] == "HTTP_"}
            )
            fault = self.storage.faults.pop(0) if self.storage.faults else None
        if self.storage.page_size < 1000 and "list-type=2" in environ["QUERY_STRING"]:
            environ["QUERY_STRING"] += f"&max-keys={self.storage.page_size}"
        if fault == "cut":
            return _cut(self.app(environ, start))
        if fault is None:
            return self.app(environ, start)  # type: ignore[no-any-return]
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return _refused(fault, start)


def _cut(parts: Iterable[bytes]) -> Iterator[bytes]:
    content = b"".join(parts)
    yield content[: len(content) // 2]
    raise ConnectionResetError("cut off")


def _refused(fault: str | int, start: Any) -> list[bytes]:
    status = {"SlowDown": 503, "RequestTimeTooSkewed": 403}.get(str(fault), 400)
    code = "InternalError" if isinstance(fault, int) else fault.partition(" ")[0]
    more = fault.partition(" ")[2] if isinstance(fault, str) else ""
    status = fault if isinstance(fault, int) else status
    body = f"<Error><Code>{code}</Code><Message>no</Message>{more}</Error>".encode()
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    start(f"{status} Fault", headers)
    return [body]


@contextmanager
def a_storage() -> Iterator[Storage]:
    storage = Storage()
    server = make_server("127.0.0.1", 0, _Front(storage), threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    storage.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield storage
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def may_use_buckets(hub: Hub) -> None:
    """The hub knows both stores, and its operator allowed this machine's addresses."""
    hub.registry.add(Stores(), "stores")
    assert hub.registry.problems == []
    hub.tools = replace(hub.tools, http=Http(("127.0.0.1",)))


def use_bucket(hub: Hub, business_id: str, storage: Storage, bucket: str, **more: Any) -> None:
    choose_store(hub, business_id, "s3", storage.settings(bucket, **more), actor="staff:1")
