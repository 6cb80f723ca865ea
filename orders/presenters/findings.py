"""What is said above the list of a finding: how much of the text was found, and what was not."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from orders import formats
from orders.models import Finding


@dataclass(frozen=True, slots=True)
class Found:
    """`copy` is what was not found, one a line. Texts are "" where there is nothing to say."""

    title: str
    missing: list[str]
    unasked: list[str]
    copy: str
    cut: str
    kept: str


def found_in_words(finding: Finding, *, zone: ZoneInfo) -> Found:
    parts = [f"{len(finding.order_ids):,} found"]
    if finding.missing:
        parts.append(f"{len(finding.missing):,} not found")
    if finding.unasked:
        parts.append(f"{len(finding.unasked):,} not known")
    return Found(
        title=", ".join(parts),
        missing=finding.missing,
        unasked=finding.unasked,
        copy="\n".join(finding.missing + finding.unasked),
        cut=_CUT if finding.was_cut else "",
        kept=f"Kept for you until {formats.date_time(finding.expires_at, zone)}.",
    )


_CUT = (
    "The text names more than is looked up at once: only the first 1,000 things it names and the "
    "newest 1,000 orders are here."
)
