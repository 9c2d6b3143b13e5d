"""A listing, in the names of the RESO Data Dictionary."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from pydantic import ConfigDict, Field

from leadlab.schema.fields import DEFAULT_TENANT, MaybeName, Name, Record


class StandardStatus(StrEnum):
    """RESO StandardStatus."""

    ACTIVE = "Active"
    ACTIVE_UNDER_CONTRACT = "Active Under Contract"
    CANCELED = "Canceled"
    CLOSED = "Closed"
    COMING_SOON = "Coming Soon"
    DELETE = "Delete"
    EXPIRED = "Expired"
    HOLD = "Hold"
    INCOMPLETE = "Incomplete"
    PENDING = "Pending"
    WITHDRAWN = "Withdrawn"


def reso_name(attribute: str) -> str:
    """Spell an attribute as RESO does.

    Examples
    --------
    >>> reso_name("list_price"), reso_name("internet_address_display_yn")
    ('ListPrice', 'InternetAddressDisplayYN')
    """
    words = attribute.split("_")
    return "".join("YN" if word == "yn" else word.capitalize() for word in words)


class Property(Record):
    """A listing.

    Attributes are the snake_case of the RESO names, which are their aliases: either spelling is
    accepted, and ``model_dump(by_alias=True)`` writes RESO's. Fields of the dictionary that are
    not declared here are kept under their own names (``model_extra``). Prices are in US dollars,
    `living_area` in square feet.

    Examples
    --------
    >>> home = Property.model_validate(
    ...     {"ListingKey": "L1", "StandardStatus": "Active", "ListPrice": 450000, "View": "Lake"})
    >>> home.list_price, home.standard_status.value, home.model_extra
    (450000.0, 'Active', {'View': 'Lake'})
    """

    model_config = ConfigDict(alias_generator=reso_name, populate_by_name=True, extra="allow")

    listing_key: Name
    tenant: Name = Field(default=DEFAULT_TENANT, alias="tenant")
    standard_status: StandardStatus | None = None
    property_sub_type: MaybeName = None
    list_price: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    original_list_price: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    close_price: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    close_date: dt.date | None = None
    purchase_contract_date: dt.date | None = None
    on_market_date: dt.date | None = None
    days_on_market: int | None = Field(default=None, ge=0)
    cumulative_days_on_market: int | None = Field(default=None, ge=0)
    bedrooms_total: int | None = Field(default=None, ge=0)
    bathrooms_full: int | None = Field(default=None, ge=0)
    bathrooms_half: int | None = Field(default=None, ge=0)
    bathrooms_total_integer: int | None = Field(default=None, ge=0)
    living_area: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    lot_size_square_feet: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    year_built: int | None = Field(default=None, ge=1500, le=2200)
    garage_spaces: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    stories_total: int | None = Field(default=None, ge=0)
    walk_score: int | None = Field(default=None, ge=0, le=100)
    association_fee: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    tax_annual_amount: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    concessions_amount: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    postal_code: MaybeName = None
    city: MaybeName = None
    internet_entire_listing_display_yn: bool | None = None
    internet_address_display_yn: bool | None = None
    internet_automated_valuation_display_yn: bool | None = None
