"""What no wish and no amenity may name: people, and what stands for them.

US Fair Housing Act, 42 USC 3604: race, colour, religion, sex, national origin, disability, familial
status; states add age, marital status and more. What a buyer needs is named as a feature of the
home ("step-free entrance"), never as the sort of people near it.
"""

from __future__ import annotations

from leadlab.errors import BadInput

PEOPLE = (
    *("race", "racial", "ethnic", "white", "black", "asian", "hispanic", "latino", "minority"),
    *("religio", "church", "mosque", "synagogue", "christian", "muslim", "jewish", "worship"),
    *("immigrant", "foreign", "nationality", "gender", "sexual", "disabled", "handicap"),
    *("families", "children", "kids", "childless", "adults only", "senior", "retire", "55+"),
    *("married", "singles", "crime", "safe neighborhood", "demographic"),
)
"""Parts of words, in lower case. "White kitchen" is refused as well: better once too often."""


def speaks_of_people(text: str) -> bool:
    """Whether a wish or an amenity names people, or what stands for them.

    Examples
    --------
    >>> speaks_of_people("Pool"), speaks_of_people("Senior community"), speaks_of_people("terrace")
    (False, True, False)
    """
    folded = f" {text.casefold()}"
    return any(f" {word}" in folded for word in PEOPLE)


def refuse_people(where: str, wishes: tuple[str, ...]) -> None:
    """Refuse wishes that name people.

    Raises
    ------
    BadInput

    Examples
    --------
    >>> refuse_people("amenities", ("church nearby",))
    Traceback (most recent call last):
        ...
    leadlab.errors.BadInput: a home is not matched by the people near it (where: amenities; ...
    """
    for wish in wishes:
        if speaks_of_people(wish):
            raise BadInput(
                "a home is not matched by the people near it",
                where=where,
                got=wish,
                hint="Name a feature of the home instead.",
            )
