"""Finds links in text and unwraps links that a mail filter has rewritten.

Mail filters replace each link by a wrapper that contains the original: percent-encoded in a
parameter (Microsoft Safe Links, Barracuda, Cisco, Google), in an encoding of their own (Proofpoint
URL Defense, versions 1 to 3), or in Base64 (Sophos). A mail that passes two filters has its links
wrapped twice. The other parts of a wrapper (the addressee, ids of the mail) describe the filter,
not the original link. Mimecast's wrapper does not contain the original, only its domain.
"""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Iterator
from urllib.parse import unquote

# A letter that is not ASCII ends a link, and so does a delimiter of a list or of markup, the
# semicolon of URL Defense (version 3) excepted.
LINK = re.compile(r"https?://(?:(?![<>\"|\\^`{},;])[!-~]|(?<=__);(?=[\w-]*!))++", re.IGNORECASE)
MAILTO = re.compile(r"mailto:[^\s<>\"|\\(),;\[\]]++", re.IGNORECASE)

_MOST_WRAPPERS = 8
_SCHEME = len("https://")
_INNER = re.compile(r"(?:https?|mailto)(:|%(?:25)*3a)", re.IGNORECASE)
_ENCODED_SCHEME = re.compile(r"(?:https?|mailto)%", re.IGNORECASE)
_PROOFPOINT_2 = re.compile(r"/v2/url\?u=([^&]++)", re.IGNORECASE)
_PROOFPOINT_3 = "/v3/__"
_MASKED_TEXT = re.compile(r"([\w-]*+)!")
_FROM_PROOFPOINT_2 = str.maketrans("-_", "%/")
_MASKED = re.compile(r"\*(?:\*(.))?")
_LENGTHS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_BASE64 = re.compile(r"[?&/=](aHR0c[\w+/-]++)")
# https://protect-us.mimecast.com/s/<token>?domain=gifts.ongoody.com
_HIDDEN = re.compile(
    r"https?://([\w.-]+\.mimecast(?:protect)?\.com)/(?:[\w-]+/)*+([\w-]{4,})/?\?"
    r"(?:[^#&]*&)*?domain=(?:[\w-]+\.)*?ongoody\.com(?![\w.-])",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[/?&=#;,:()\[\]]+")


def unwrap_link(link: str) -> str:
    """Return the link inside the wrappers of mail filters, or the link itself if not wrapped."""
    for _ in range(_MOST_WRAPPERS):
        inner = _proofpoint_2(link) or _proofpoint_3(link) or _base64(link) or _encoded(link)
        if not inner:
            break
        link = inner
    return link


def hidden_link_name(link: str) -> str:
    """Return a name for a wrapped link to Goody that does not contain the original link, else "".

    The name contains only the last characters of the token, because the whole link opens the gift.
    """
    match = _HIDDEN.match(link)
    return f"{match[1].lower()} link ending in {match[2][-4:]}" if match else ""


def decoded_link_parts(link: str) -> Iterator[str]:
    """Yield the decoded path segments and parameters of a link, without its host."""
    _, _, rest = link.partition("://")
    _, _, rest = rest.partition("/")
    return map(unquote, filter(None, _PARTS.split(rest)))


def mailto_recipients(mailto: str) -> str:
    """Return the decoded addresses of a mailto link, separated by commas."""
    to, _, headers = mailto[len("mailto:") :].partition("?")
    fields = (field.partition("=") for field in headers.split("&"))
    also = [value for name, _, value in fields if name.lower() in ("to", "cc", "bcc")]
    return ",".join(unquote(value) for value in (to, *also))


def _proofpoint_2(link: str) -> str:
    match = _PROOFPOINT_2.search(link)
    return unquote(match[1].translate(_FROM_PROOFPOINT_2)) if match else ""


def _proofpoint_3(link: str) -> str:
    """Decode a Proofpoint version 3 link.

    Each "*" represents the next masked character; "**" and a letter represent several.
    """
    # A regular expression would search for the end once for each of many beginnings.
    _, beginning, rest = link.partition(_PROOFPOINT_3)
    inner, end, rest = rest.partition("__;")
    match = _MASKED_TEXT.match(rest)
    if not (beginning and end and match):
        return ""
    masked = iter(_from_base64(match[1]))

    def unmask(star: re.Match[str]) -> str:
        count = _LENGTHS.find(star[1]) + 2 if star[1] else 1
        return "".join(character for _, character in zip(range(count), masked, strict=False))

    return _MASKED.sub(unmask, inner)


def _base64(link: str) -> str:
    match = _BASE64.search(link)
    return _from_base64(match[1]) if match else ""


def _from_base64(text: str) -> str:
    padded = text.rstrip("=").translate(str.maketrans("+/", "-_"))
    padded += "=" * (-len(padded) % 4)
    try:
        return base64.urlsafe_b64decode(padded).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _encoded(link: str) -> str:
    """Return the link in a parameter or in the path, percent-encoded zero or more times."""
    match = _INNER.search(link, _SCHEME)
    if match is None:
        return ""
    inner = link[match.start() :]
    if match[1] != ":":
        inner = unquote(inner.partition("&")[0])
        for _ in range(_MOST_WRAPPERS):
            if not _ENCODED_SCHEME.match(inner):
                break
            inner = unquote(inner)
    elif "?" in link[: match.start()] and "?" not in inner:
        inner = inner.partition("&")[0]
    return inner
