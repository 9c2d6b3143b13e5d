"""A lead: a person or household that may buy, sell or rent."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from leadlab.schema.fields import DEFAULT_TENANT, MaybeName, Moment, Name, Record, Text


class Lead(Record):
    """What is known of a lead, as the CRM holds it.

    E-mail, phone and postal codes are kept as they came: whether they can be right is the
    business of `leadlab.schema.quality`. Nothing here says, or lets anyone infer, a protected
    trait.

    Attributes
    ----------
    id, tenant : str
    name, email, phone, source, stage, agent : str, optional
    created_at, last_activity_at : datetime, optional
        UTC.
    tags, cities, postal_codes : tuple of str
    price_min_usd, price_max_usd : float, optional
        The price range asked for.
    bedrooms_min : int, optional
    timeframe_days : int, optional
        Within how many days the lead means to act.

    Examples
    --------
    >>> Lead(id=7, price_max_usd=450_000, tags=["buyer"]).id
    '7'
    """

    id: Name
    tenant: Name = DEFAULT_TENANT
    name: MaybeName = None
    email: Text | None = None
    phone: Text | None = None
    source: MaybeName = None
    stage: MaybeName = None
    agent: MaybeName = None
    created_at: Moment | None = None
    last_activity_at: Moment | None = None
    tags: tuple[Name, ...] = ()
    cities: tuple[Name, ...] = ()
    postal_codes: tuple[Text, ...] = ()
    price_min_usd: float | None = Field(default=None, ge=0, le=1e12)
    price_max_usd: float | None = Field(default=None, ge=0, le=1e12)
    bedrooms_min: int | None = Field(default=None, ge=0, le=100)
    timeframe_days: int | None = Field(default=None, ge=0, le=36_500)

    @model_validator(mode="after")
    def _tags_once(self) -> Self:
        if len(set(self.tags)) < len(self.tags):
            raise ValueError("a tag occurs twice")
        return self
