"""The rules of the gateway, as the settings say."""

from __future__ import annotations

from datetime import timedelta

from valetkey.gateway.call import Rules
from valetkey.gateway.guards import Guards
from valetkey.s3.cors import default_rules
from valetkey.s3.grants import Ownership
from valetkey.server.credentials import owner_id
from valetkey.server.master_key import derive
from valetkey.server.settings import Settings
from valetkey.sigv4.verify import SignedHost


def rules_of(settings: Settings, master: bytes) -> Rules:
    """Return what requests are judged by; `master` is the master key."""
    age_s = settings.largest_signature_age_s
    return Rules(
        region=settings.region,
        domains=settings.domains,
        signed_hosts=tuple(
            SignedHost(host=url.host.encode(), path_prefix=url.path_prefix.encode())
            for url in settings.public_urls
        ),
        public_urls={url.host: url.url for url in settings.public_urls},
        is_strict=settings.strict,
        owner_id=owner_id(master),
        token_key=derive(master, "continuation tokens"),
        lifecycle_day_ms=settings.lifecycle_day_s * 1000,
        object_ownership=Ownership(settings.object_ownership),
        cors=default_rules(settings.cors_origins),
        guards=Guards(
            largest_age=timedelta(seconds=age_s) if age_s else None,
            takes_presigned=settings.presigned_urls,
            takes_v2=settings.sigv2,
        ),
        contains_links=settings.contain_links and not settings.strict,
    )
