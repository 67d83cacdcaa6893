"""The operations of the admin API on links, on URLs that are taken back, and on what became of both."""

from __future__ import annotations

from typing import Final

from valetkey.console import history, link_members, links, revocations, short_addresses, webhooks
from valetkey.console.call import ACCOUNT, AFTER
from valetkey.console.route import PAGE, Route
from valetkey.console.schema import listing

_ONE: Final = (ACCOUNT, link_members.ENDPOINT)

LINKS: Final = (
    Route(
        "GET",
        "links",
        links.list_links,
        "List links, the newest first.",
        gives=(listing("links", link_members.LINK),),
        asks=(*_ONE, *PAGE, *link_members.FILTERS),
    ),
    Route(
        "POST",
        "links",
        links.create_link,
        "Make a link. What is left out has no limit.",
        gives=(link_members.LINK,),
        asks=_ONE,
        takes=link_members.GRANT,
    ),
    Route(
        "POST",
        "links/bulk",
        links.create_links,
        "Make a link of each line of the body; each is answered by a line.",
        gives=(link_members.LINK, link_members.LINE_ERROR),
        asks=_ONE,
        takes=link_members.GRANT_OF_LINE,
        takes_lines=True,
    ),
    Route(
        "POST",
        "links/pause",
        links.pause_links,
        "Let links not work for the time being, by a filter or all.",
        gives=(link_members.CHANGED,),
        asks=(ACCOUNT,),
        takes=link_members.MEANT,
    ),
    Route(
        "POST",
        "links/resume",
        links.resume_links,
        "Let paused links work again, by a filter or all.",
        gives=(link_members.CHANGED,),
        asks=(ACCOUNT,),
        takes=link_members.MEANT,
    ),
    Route(
        "POST",
        "links/revoke",
        links.revoke_links,
        "Take links back for good, by a filter or all.",
        gives=(link_members.CHANGED,),
        asks=(ACCOUNT,),
        takes=link_members.MEANT,
    ),
    Route(
        "GET",
        "links/{link}",
        links.get_link,
        "Show a link with what it has done, and its last attempts.",
        gives=(link_members.LINK_IN_FULL,),
        asks=_ONE,
    ),
    Route(
        "POST",
        "links/{link}",
        links.alter_link,
        "Put other limits in the place of a link's own; null takes one away.",
        gives=(link_members.LINK,),
        asks=_ONE,
        takes=link_members.ALTERABLE,
    ),
    Route(
        "POST",
        "links/{link}/pause",
        links.pause_link,
        "Let a link not work for the time being.",
        gives=(link_members.LINK,),
        asks=_ONE,
    ),
    Route(
        "POST",
        "links/{link}/resume",
        links.resume_link,
        "Let a paused link work again.",
        gives=(link_members.LINK,),
        asks=_ONE,
    ),
    Route(
        "POST",
        "links/{link}/revoke",
        links.revoke_link,
        "Take a link back for good, from the next request on.",
        gives=(link_members.LINK,),
        asks=_ONE,
    ),
    Route(
        "DELETE",
        "links/{link}",
        links.delete_link,
        "Forget a link, whose URL is of nobody then.",
        asks=(ACCOUNT,),
    ),
)

SHORT_ADDRESSES: Final = (
    Route(
        "GET",
        "links/{link}/addresses",
        short_addresses.list_short_addresses,
        "List the short addresses of a link.",
        gives=(listing("addresses", short_addresses.ADDRESS),),
        asks=_ONE,
    ),
    Route(
        "POST",
        "links/{link}/addresses",
        short_addresses.create_short_address,
        "Make a short address of a link, with a name or a token that nobody can guess.",
        gives=(short_addresses.ADDRESS,),
        asks=_ONE,
        takes=short_addresses.NEW,
    ),
    Route(
        "POST",
        "addresses/{address}",
        short_addresses.alter_short_address,
        "Let a short address lead to another link, or pause or resume it.",
        gives=(short_addresses.ADDRESS,),
        asks=_ONE,
        takes=short_addresses.ALTERABLE,
    ),
    Route(
        "DELETE",
        "addresses/{address}",
        short_addresses.delete_short_address,
        "Forget a short address.",
        asks=(ACCOUNT,),
    ),
)

REVOCATIONS: Final = (
    Route(
        "GET",
        "revocations",
        revocations.list_revocations,
        "List what is taken back by key, bucket or prefix.",
        gives=(listing("revocations", revocations.REVOCATION),),
        asks=(ACCOUNT,),
    ),
    Route(
        "POST",
        "revocations",
        revocations.create_revocation,
        "Take back one URL, or all that were signed before an instant.",
        gives=(revocations.REVOCATION, revocations.OF_LINK, revocations.OF_URL),
        asks=(ACCOUNT,),
        takes=revocations.MEMBERS,
    ),
    Route(
        "DELETE",
        "revocations/{revocation}",
        revocations.delete_revocation,
        "Let the URLs hold again that a revocation took back.",
        asks=(ACCOUNT,),
    ),
)

HISTORY: Final = (
    Route(
        "GET",
        "history",
        history.list_history,
        "Tell what became of presigned URLs, the newest first.",
        gives=(history.ATTEMPTS,),
        asks=(ACCOUNT, *PAGE, *history.FILTERS),
    ),
    Route(
        "GET",
        "history/new",
        history.follow_history,
        "Tell what became of them since the last call, as it was written down; the first call begins now.",
        gives=(history.ATTEMPTS,),
        asks=(ACCOUNT, AFTER, *history.FILTERS),
    ),
    Route(
        "GET",
        "webhooks",
        webhooks.get_webhooks,
        "Tell which hosts webhooks may go to, and what this account's are signed with.",
        gives=(webhooks.WEBHOOKS,),
        asks=(ACCOUNT,),
    ),
)
