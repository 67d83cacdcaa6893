"""HTTP/1.1 on asyncio: httptools finds the requests in the bytes, the rest is here.

One connection is one protocol object, and everything happens in the thread of the event loop.
"""

from valetkey.server.http1.exchange import ClientGoneError, Exchange
from valetkey.server.http1.server import Limits, Server

__all__ = ["ClientGoneError", "Exchange", "Limits", "Server"]
