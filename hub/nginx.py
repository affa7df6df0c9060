"""nginx as the front door instead of our own: what it must pass on, for the hub's name and for
the proven domains of businesses.

nginx gets no certificate by itself, and answers only under names it was told: print this again
once a domain was proven, after a certificate for it is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hub.core.branding import certified_name
from hub.settings import Settings

# Whoever has a customer's link can see their page, and nginx writes whole links into both its logs.
_UNLOGGED = """\
    access_log off;
    error_log /var/log/nginx/hub.log alert;
"""

_HEAD = """\
# For nginx's http block, say as /etc/nginx/conf.d/hub.conf.
upstream hub_web {{
    server unix:{web};
}}
upstream hub_live {{
    server unix:{live};
}}

server {{
    listen 80;
    listen [::]:80;
    server_name {names};
{unlogged}\
    location /.well-known/acme-challenge/ {{
        root /var/www/html;
    }}
    location / {{
        return 301 https://$host$request_uri;
    }}
}}
"""

_BEGINS = """
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {name};
{unlogged}\
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    client_max_body_size 25m;
    gzip on;
    gzip_types text/css text/javascript application/json image/svg+xml;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    add_header Strict-Transport-Security max-age=31536000 always;
"""

_LIVE = """\
    location {at} {{
        proxy_pass http://hub_live;
        proxy_buffering off;
        proxy_read_timeout 1h;
    }}
"""

_WEB = """\
    location {at} {{
        proxy_pass http://hub_web;
    }}
"""

_NOTHING = """\
    location {at} {{
        return 404;
    }}
"""


def nginx_conf(settings: Settings, web: Path, live: Path, own: Iterable[str]) -> str:
    """``web`` and ``live`` are where these processes listen, ``own`` the proven domains."""
    ours = certified_name(settings.host) or "hub.example.com"
    theirs = sorted(set(own) - {ours})
    text = _HEAD.format(web=web, live=live, names=" ".join([ours, *theirs]), unlogged=_UNLOGGED)
    text += _server(ours, settings.certificate, live=["/live/"], web=["/"], nothing=["/front/"])
    for name in theirs:  # only customers' pages: the web process refuses the rest there as well
        text += _server(name, None, live=["/live/t/"], web=["/t/", "/u/"], nothing=["/"])
    return text


def _server(
    name: str,
    certificate: tuple[Path, Path] | None,
    *,
    live: Iterable[str],
    web: Iterable[str],
    nothing: Iterable[str],
) -> str:
    kept = Path("/etc/letsencrypt/live") / name
    chain, key = certificate or (kept / "fullchain.pem", kept / "privkey.pem")
    text = _BEGINS.format(name=name, certificate=chain, key=key, unlogged=_UNLOGGED)
    for block, places in ((_LIVE, live), (_WEB, web), (_NOTHING, nothing)):
        text += "".join(block.format(at=at) for at in places)
    return f"{text}}}\n"
