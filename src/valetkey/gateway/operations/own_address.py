"""Where clients find what they have uploaded."""

from __future__ import annotations

from collections.abc import Mapping

from valetkey.gateway.call import Call, Request


def own_address(call: Call) -> str:
    """Return scheme, host and, before a proxy takes it away, path prefix as the client wrote them.

    A trusted proxy may tell the Host. Where a public endpoint is set up for it, or for the domain in which it names
    a bucket, that says the scheme: TLS may end at a proxy in front of us.
    """
    host = client_host(call.request, call.headers)
    public = call.rules.public_urls
    if host in public:
        return public[host]
    scheme = "https" if call.request.is_secure else "http"
    if call.is_virtual:
        scheme = public.get(host.partition(".")[2], f"{scheme}:").partition(":")[0]
    return f"{scheme}://{host}"


def client_host(request: Request, headers: Mapping[str, str]) -> str:
    """Return what the client wrote into Host, as far as is known: what a trusted proxy tells of it, or what came."""
    told = request.forwarded_hosts
    return told[0].host.decode() if told else headers.get("host", "")
