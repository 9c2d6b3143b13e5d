"""What anybody must know of a model before they use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from leadlab.errors import BadInput
from leadlab.models.files.model_file import About


@dataclass(frozen=True)
class Card:
    """A model card (Mitchell et al., 2019), in words; no part may be empty.

    Attributes
    ----------
    intended_use : str
        For which decision, by whom; and what it is not for.
    data : str
        What it was trained on: whose leads, from when to when.
    metrics : str
        How good it is, on which rows, beside which baselines.
    limits : str
        Where it is known to fail or was never tried.
    fairness : str
        Which groups were compared, and what was found; or why not.

    Examples
    --------
    >>> card = Card("Order the morning's calls.", "Leads of 2025.", "ROC-AUC 0.8.", "No rentals.",
    ...             "Lift by source differs by less than a tenth.")
    >>> print(card.markdown("hot-leads").splitlines()[0])
    # Model card: hot-leads
    """

    intended_use: str
    data: str
    metrics: str
    limits: str
    fairness: str

    def __post_init__(self) -> None:
        for name, text in asdict(self).items():
            if not isinstance(text, str) or not text.strip():
                raise BadInput("a card leaves nothing out", where=name, got=repr(text))

    def markdown(self, title: str) -> str:
        """One heading and paragraph a part."""
        parts = [f"# Model card: {title}"]
        for name, text in asdict(self).items():
            parts.append(f"## {name.replace('_', ' ').capitalize()}\n\n{text.strip()}")
        return "\n\n".join(parts) + "\n"

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Card:
        """From a mapping with exactly the card's parts.

        Raises
        ------
        BadInput
            If one is missing, empty or not a text, or there is one too many.
        """
        if not isinstance(content, Mapping):
            raise BadInput("a card is a mapping of texts", got=type(content).__name__)
        known = [f.name for f in fields(cls)]
        apart = sorted(set(known) ^ set(content))
        if apart:
            raise BadInput("a card has other parts", got=sorted(content), expected=known)
        return cls(**content)


def data_in_words(about: About) -> str:
    """What a model's file says of its data, for a card.

    Examples
    --------
    >>> data_in_words(About(converted=("Closed",), horizon_days=30.0, fingerprint="ab12"))
    'Success: Closed. Horizon: 30 days. Fingerprint of the training set: ab12.'
    """
    told = []
    if about.converted:
        told.append(f"Success: {', '.join(about.converted)}.")
    if about.ended:
        told.append(f"Other endings: {', '.join(about.ended)}.")
    if about.horizon_days is not None:
        told.append(f"Horizon: {about.horizon_days:g} days.")
    told.append(f"Fingerprint of the training set: {about.fingerprint or 'not told'}.")
    return " ".join(told)


def metrics_in_words(about: About) -> str:
    """What a model's file says of its figures, for a card.

    Examples
    --------
    >>> metrics_in_words(About(metrics={"pr_auc": 0.4123, "lift": None}))
    'On the test side: pr_auc 0.412, lift undefined.'
    """
    if not about.metrics:
        return "None was measured."
    told = [f"{n} {_figure(v)}" for n, v in about.metrics.items()]
    return f"On the test side: {', '.join(told)}."


def _figure(value: Any) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3g}" if isinstance(value, (int, float)) else str(value)
