"""URLs of our own pages in request headers, which any client may have written."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest


def own_page_from_header(request: HttpRequest, header: str) -> str:
    """Return the path and query of the URL in the header `header`, such as Referer.

    Return "" if the header is missing or malformed, or names another host.
    """
    try:
        page = urlsplit(request.headers.get(header, ""))
    except ValueError:
        return ""
    if page.netloc != request.get_host():
        return ""
    return page.path + (f"?{page.query}" if page.query else "")
