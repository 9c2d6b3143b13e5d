"""A deal: an offer on its way to a closing, or lost."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from leadlab.schema.fields import DEFAULT_TENANT, MaybeName, Moment, Name, Record


class Deal(Record):
    """One side of a sale. RESO has no Offer resource: these fields are our own.

    Attributes
    ----------
    id, tenant, lead : str
    side : "buyer" or "seller"
    listing, agent : str, optional
    offer_price_usd, sale_price_usd : float, optional
    opened_at : datetime
    accepted_at, closed_at, lost_at : datetime, optional
        None as long as it has not happened; closed and lost exclude each other, and nothing
        happens before the deal was opened.
    lost_reason : str, optional

    Examples
    --------
    >>> Deal(id="d1", lead="ann", side="buyer", opened_at="2026-03-01T10:00Z").is_open
    True
    """

    id: Name
    tenant: Name = DEFAULT_TENANT
    lead: Name
    side: Literal["buyer", "seller"]
    listing: MaybeName = None
    agent: MaybeName = None
    offer_price_usd: float | None = Field(default=None, ge=0, le=1e12)
    sale_price_usd: float | None = Field(default=None, ge=0, le=1e12)
    opened_at: Moment
    accepted_at: Moment | None = None
    closed_at: Moment | None = None
    lost_at: Moment | None = None
    lost_reason: MaybeName = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.closed_at and self.lost_at:
            raise ValueError("a deal is closed or lost, not both")
        ends = [m for m in (self.accepted_at, self.closed_at, self.lost_at) if m is not None]
        if ends and min(ends) < self.opened_at:
            raise ValueError("something happened before the deal was opened")
        end = self.closed_at or self.lost_at
        if end and self.accepted_at and end < self.accepted_at:
            raise ValueError("the deal ended before the offer was accepted")
        return self

    @property
    def is_open(self) -> bool:
        """Neither closed nor lost."""
        return self.closed_at is None and self.lost_at is None
