"""A number with its uncertainty and what it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured or predicted number, never shown without its interval and basis.

    ``lower`` and ``upper`` span about 95 % of what is believed possible. A number that could not be
    had has ``value`` None and says why in ``basis``: make it with :meth:`missing`.

    Examples
    --------
    >>> height = Estimate(18.2, 17.6, 18.8, "mm", "column median between fitted endplates")
    >>> height.value
    18.2
    >>> Estimate.missing("mm", "the level is cut by the field of view").is_known
    False
    """

    value: float | None
    lower: float | None
    upper: float | None
    unit: str
    basis: str

    def __post_init__(self) -> None:
        numbers = (self.value, self.lower, self.upper)
        if all(number is None for number in numbers):
            return
        if any(number is None or not math.isfinite(number) for number in numbers):
            raise ValueError(f"an estimate needs three finite numbers or none, not {numbers}")
        value, lower, upper = (float(number) for number in numbers if number is not None)
        if not lower <= value <= upper:
            raise ValueError(f"an estimate needs lower <= value <= upper, not {numbers}")
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @classmethod
    def missing(cls, unit: str, reason: str) -> Estimate:
        """A number that cannot be had, and why."""
        return cls(None, None, None, unit, reason)

    @classmethod
    def symmetric(cls, value: float, half_width: float, unit: str, basis: str) -> Estimate:
        """``value`` ± ``half_width``.

        Examples
        --------
        >>> Estimate.symmetric(2.0, 0.5, "mm", "caliper").upper
        2.5
        """
        return cls(value, value - abs(half_width), value + abs(half_width), unit, basis)

    @property
    def is_known(self) -> bool:
        """Whether there is a number."""
        return self.value is not None

    def require(self) -> float:
        """The value of an estimate that is known to exist.

        Raises
        ------
        ValueError
            If there is none (a programmer's error: check :attr:`is_known` first).
        """
        if self.value is None:
            raise ValueError(f"no value: {self.basis}")
        return self.value

    def to_json(self, decimals: int = 3) -> dict[str, float | str | None]:
        """The estimate as JSON-ready data, rounded to ``decimals`` places."""

        def rounded(number: float | None) -> float | None:
            return None if number is None else round(number, decimals) + 0.0

        return {
            "value": rounded(self.value),
            "lower": rounded(self.lower),
            "upper": rounded(self.upper),
            "unit": self.unit,
            "basis": self.basis,
        }
