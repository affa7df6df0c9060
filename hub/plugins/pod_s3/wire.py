"""Amazon's SDK, made to send by the hub's own HTTP.

It signs, retries and reads; what it sends leaves by ``tools.http``, so that the hub's rules hold
here too: no private address, no open unit, time limits.
"""

from __future__ import annotations

import os
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import requests

from hub import ConfigError, Refused
from hub.plugins.pod_s3.settings import S3Settings

if TYPE_CHECKING:
    from hub.http import Http

TIMEOUTS_S = (5.0, 30.0)
HURRIED_S = 3.0  # until somebody who waits is told that nobody answers
_making = Lock()  # one session makes clients for several threads, but not at the same moment


class Wire:
    """``client`` is the SDK's; ``said_region`` where the bucket is, if an answer named it.

    ``within_s``: somebody waits, and is not to wait for longer.
    """

    def __init__(
        self, settings: S3Settings, http: Http, who: str, tries: int, within_s: float | None
    ) -> None:
        self._http, self._who = http, who
        self._hurries = within_s is not None
        self._timeouts_s = TIMEOUTS_S if within_s is None else (min(HURRIED_S, within_s), within_s)
        self.said_region = ""
        self.client = self._made(settings, tries)

    def _made(self, of: S3Settings, tries: int) -> Any:
        config = sdk().config.Config(
            retries={"mode": "standard", "total_max_attempts": tries},
            s3={"addressing_style": "path" if of.path_style else "auto"},
            signature_version="s3v4",
            # Newer checksums are not known to every storage; ours is named with each request.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            ignore_configured_endpoint_urls=True,
        )
        with _making:
            client = _session().create_client(
                "s3",
                region_name=of.region,
                endpoint_url=of.endpoint_url or None,
                aws_access_key_id=of.access_key_id,
                aws_secret_access_key=of.secret_access_key.get_secret_value(),
                config=config,
            )
        client.meta.events.register("before-send.s3", self._send)
        return client

    def _send(self, request: Any, **_: Any) -> Any:
        """One request of botocore's, sent by the hub's HTTP; its errors told in botocore's words,
        which tries again after those.
        """
        errors, at = sdk().exceptions, self._who
        headers = {name: _text(value) for name, value in request.headers.items()}
        # Nobody here waits for "100 Continue", and what is compressed has another hash.
        headers = {name: v for name, v in headers.items() if name.lower() != "expect"}
        headers["Accept-Encoding"] = "identity"
        if self._hurries:  # only what is connected anew can be cut off
            headers["Connection"] = "close"
        # Of an empty file ``requests`` would say that its length is not known.
        body = None if headers.get("Content-Length") == "0" else request.body
        try:
            reply = self._http.request(
                request.method,
                request.url,
                data=body,
                headers=headers,
                timeout=self._timeouts_s,
                stream=True,
                allow_redirects=False,
            )
        except Refused as problem:  # an address of somebody's own network
            raise ConfigError(str(problem), field="endpoint_url") from None
        except requests.exceptions.SSLError:
            raise ConfigError(
                f"{at} offers no encryption this machine can trust. Look at its certificate.",
                field="endpoint_url",
            ) from None
        except requests.exceptions.ConnectTimeout as error:
            raise errors.ConnectTimeoutError(endpoint_url=at, error=error) from None
        except requests.exceptions.Timeout as error:
            raise errors.ReadTimeoutError(endpoint_url=at, error=error) from None
        except requests.RequestException as error:
            raise errors.EndpointConnectionError(endpoint_url=at, error=error) from None
        self.said_region = reply.headers.get("x-amz-bucket-region") or self.said_region
        return sdk().awsrequest.AWSResponse(
            request.url, reply.status_code, reply.headers, reply.raw
        )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@cache
def _session() -> Any:
    """The SDK, told to believe nothing but what the business set.

    What files and variables of this machine say to Amazon's tools is about another account.
    """
    nowhere = (None, None, os.devnull, None)  # neither a file's name for it nor a variable's
    return sdk().session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
        }
    )


@cache
def sdk() -> Any:
    try:
        import botocore.awsrequest
        import botocore.config
        import botocore.exceptions
        import botocore.session
    except ImportError:
        raise ConfigError(
            "S3-compatible storage needs one more package: pip install 'lastmile-hub[s3]'"
        ) from None
    return botocore
