"""Requests that a browser sends on behalf of a page from elsewhere.

Any page that somebody visits can make the browser send requests to ports of this machine and of the network it is in: a
picture's address, a form, `fetch` without leave to read the answer. Browsers say so, in headers that no page can write:

* `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/): every browser since 2023, over TLS and to loopback;
* `Origin` (https://fetch.spec.whatwg.org/#origin-header): older ones, too, with every POST.

And a page can point a name of its own to 127.0.0.1; then `Host` names it.
"""

from __future__ import annotations

from collections.abc import Mapping

LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))
"""Names that are this machine's own wherever they are asked for: nobody else can point them elsewhere."""


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a page from elsewhere had this sent; not what a program sends, or the user by the address bar.

    `headers` are a request's, found in any case.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("Origin")
    if origin is None:
        return False
    scheme, _, place = origin.partition("://")
    return scheme not in ("http", "https") or place.lower() != headers.get("Host", "").lower()


def host_of(headers: Mapping[str, str]) -> str:
    """The name that a request was sent to, in lower case, without the port; empty where it does not say."""
    host = headers.get("Host", "")
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def names_loopback(headers: Mapping[str, str]) -> bool:
    """Whether the request was sent to this machine by a name that can be no other's."""
    return host_of(headers) in LOOPBACK_NAMES
