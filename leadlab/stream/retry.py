"""Trying again, with growing and scattered pauses, what may have failed by chance."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from leadlab.errors import BadInput, ConfigError

Given = TypeVar("Given")


def retry(
    call: Callable[[], Given],
    *,
    on: tuple[type[Exception], ...],
    rng: np.random.Generator,
    tries: int = 5,
    first_s: float = 0.05,
    most_s: float = 5.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Given:
    """Call until it works, at most `tries` times.

    The pause after try k is drawn evenly from 0 to ``min(most_s, first_s * 2**(k - 1))`` ("full
    jitter"), so that many who failed together do not come back together.

    Parameters
    ----------
    call : callable
        Safe to repeat.
    on : tuple of exception classes
        After which to try again; any other goes through at once.
    rng : numpy.random.Generator
        Draws the pauses.
    tries : int
    first_s, most_s : float
        Longest first pause, longest pause of all.
    sleep : callable
        Waits so many seconds.

    Returns
    -------
    object
        What `call` gave.

    Raises
    ------
    Exception
        The last try's own.
    ConfigError
        If tenacity is not installed.

    References
    ----------
    M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    Examples
    --------
    >>> answers = iter([OSError("busy"), "done"])
    >>> def call():
    ...     answer = next(answers)
    ...     if isinstance(answer, OSError):
    ...         raise answer
    ...     return answer
    >>> retry(call, on=(OSError,), rng=np.random.default_rng(0), sleep=lambda seconds: None)
    'done'
    """
    if tries < 1 or not 0 <= first_s <= most_s:
        got = f"tries={tries}, first_s={first_s}, most_s={most_s}"
        raise BadInput("unusable pauses", got=got, expected="tries >= 1, 0 <= first_s <= most_s")
    try:
        from tenacity import (  # noqa: PLC0415  (an extra)
            RetryCallState,
            Retrying,
            retry_if_exception_type,
            stop_after_attempt,
        )
    except ImportError as error:
        raise ConfigError(
            "trying again needs tenacity",
            got=error,
            hint='Install it: pip install "leadlab[live]".',
        ) from error

    def pause_s(state: RetryCallState) -> float:
        doubled = min(state.attempt_number - 1, 60)
        return float(rng.uniform(0, min(most_s, first_s * 2.0**doubled)))

    again = Retrying(
        stop=stop_after_attempt(tries),
        wait=pause_s,
        retry=retry_if_exception_type(on),
        sleep=sleep,
        reraise=True,
    )
    return again(call)
