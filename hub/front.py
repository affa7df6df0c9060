"""The front door: Caddy's configuration, and where its binary is.

Caddy (Apache-2.0) answers on one port, gets and renews the certificate of
``HUB_DOMAIN`` by itself, compresses, and passes everything on to a Unix socket:
``/live/*`` to the live process, as it comes, and all else to the web process.

With ``HUB_DOMAIN`` set it also answers under the proven domains of businesses, and under no other
name: before it gets a certificate it asks the web process, at ``HUB_PORT`` of this machine alone.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from hub.settings import Settings

_FILE = """\
{{
	admin off
	persist_config off
{auto_https}\
{on_demand}\
	log {{
		output stderr
		format console
		level ERROR
	}}
{trusted}\
}}

{site} {{
{bind}{tls}\
{hsts}\
	handle /live/* {{
		reverse_proxy unix/{live} {{
			header_up X-Forwarded-For {{client_ip}}
			flush_interval -1
		}}
	}}
	handle /front/* {{
		respond 404
	}}
	handle {{
		encode zstd gzip
		reverse_proxy unix/{web} {{
			header_up X-Forwarded-For {{client_ip}}
			header_up X-Forwarded-Host {{hostport}}
		}}
	}}
	handle_errors {{
		header Retry-After 5
		respond "The hub is starting or being updated. Try again in a moment." 503
	}}
}}
{own_domains}"""

_ASKS = """\
	on_demand_tls {{
		ask http://127.0.0.1:{port}/front/ask
	}}
"""

# Only customers' pages: the web process refuses the rest there as well.
_OWN_DOMAINS = """
https:// {{
	tls {{
		on_demand
	}}
	handle /live/t/* {{
		reverse_proxy unix/{live} {{
			header_up X-Forwarded-For {{client_ip}}
			flush_interval -1
		}}
	}}
	@pages path /t/* /u/*
	handle @pages {{
		encode zstd gzip
		reverse_proxy unix/{web} {{
			header_up X-Forwarded-For {{client_ip}}
			header_up X-Forwarded-Host {{hostport}}
		}}
	}}
	handle {{
		respond 404
	}}
	handle_errors {{
		header Retry-After 5
		respond "This page is being updated. Try again in a moment." 503
	}}
}}

http://127.0.0.1:{port} {{
	bind 127.0.0.1
	handle /front/ask {{
		reverse_proxy unix/{web}
	}}
	handle {{
		respond 404
	}}
}}
"""

_TRUSTED = "\tservers {\n\t\ttrusted_proxies static private_ranges\n\t}\n"


def find_caddy() -> Path | None:
    """Caddy beside our Python (the extra ``front``) or on the path; ``None`` if there is none."""
    beside = Path(sys.executable).with_name("caddy")
    if beside.exists():
        return beside
    found = shutil.which("caddy")
    return Path(found) if found else None


def caddyfile(settings: Settings, web: Path, live: Path) -> str:
    """What Caddy is started with; ``web`` and ``live`` are where these processes listen."""
    domain, own = settings.domain, settings.certificate
    # Somebody else's proxy or tunnel stands before us: believe what it says of its callers.
    is_behind = not domain and settings.public_url.startswith("https:")
    return _FILE.format(
        auto_https="" if domain else f"\tauto_https {'disable_redirects' if own else 'off'}\n",
        trusted=_TRUSTED if is_behind else "",
        on_demand=_ASKS.format(port=settings.port) if domain else "",
        own_domains=_OWN_DOMAINS.format(port=settings.port, web=web, live=live) if domain else "",
        site=domain or f"{'https' if own else 'http'}://:{settings.port}",
        bind="" if domain else f"\tbind {settings.listen}\n",
        tls=f"\ttls {own[0]} {own[1]}\n" if own else "",
        hsts="\theader Strict-Transport-Security max-age=31536000\n" if domain or own else "",
        web=web,
        live=live,
    )
