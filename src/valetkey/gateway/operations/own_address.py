"""Where clients find what they have uploaded."""

from __future__ import annotations

from valetkey.gateway.call import Call


def own_address(call: Call) -> str:
    """Return scheme, host and, before a proxy takes it away, path prefix as the client wrote them.

    A trusted proxy may tell the Host. Where a public endpoint is set up for it, or for the domain in which it names a bucket, that says
    the scheme: TLS may end at a proxy in front of us.
    """
    told = call.request.forwarded_hosts
    host = told[0].host.decode() if told else call.headers.get("host", "")
    public = call.rules.public_urls
    if host in public:
        return public[host]
    scheme = "https" if call.request.is_secure else "http"
    if call.is_virtual:
        scheme = public.get(host.partition(".")[2], f"{scheme}:").partition(":")[0]
    return f"{scheme}://{host}"
