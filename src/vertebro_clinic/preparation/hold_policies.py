"""Published hold policies, and which one a site has approved for a drug and a kidney."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from vertebro_clinic.preparation.drug_names import Drug

_FILE = Path(__file__).parent / "holds.toml"


class Unit(StrEnum):
    """In what a hold is counted."""

    DAYS = "days"
    """Whole days without the medicine before the day of treatment."""
    DOSES = "doses"
    """Doses left out, counted back through the patient's own dose times."""
    HOURS = "hours"
    """Least hours between the last dose and the start."""


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """One row of the policy table."""

    name: str
    unit: Unit
    amount: int
    set: str
    version: str
    source: str
    confirmed: bool
    """Whether the number was read in the source itself."""
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    least: int | None = None
    """Shorter end, where the source gives a range and ``amount`` is its longer end."""
    purpose: str = ""
    """``"prevention"`` or ``"treatment"`` where the row is for that dose only."""
    egfr_from: float | None = None
    egfr_below: float | None = None
    restart_hours: int | None = None
    needs_inr: bool = False

    @property
    def asks_kidney(self) -> bool:
        """Whether the row cannot be chosen without knowing the kidney's function."""
        return self.egfr_from is not None or self.egfr_below is not None

    def is_for(self, drug: Drug) -> bool:
        """Whether the row speaks of the drug."""
        return drug.name in self.drugs or (drug.kind in self.classes and not self.drugs)

    def fits_kidney(self, egfr_ml_min: float) -> bool:
        """Whether the row is meant for that kidney function."""
        above = self.egfr_from is None or egfr_ml_min >= self.egfr_from
        return above and (self.egfr_below is None or egfr_ml_min < self.egfr_below)


@cache
def hold_policies() -> dict[str, HoldPolicy]:
    """Every published policy by name.

    >>> hold_policies()["pages_aspirin"].amount
    7
    """
    rows = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        name: HoldPolicy(
            name=name,
            **row
            | {
                "unit": Unit(row["unit"]),
                "drugs": tuple(row.get("drugs", ())),
                "classes": tuple(row.get("classes", ())),
            },
        )
        for name, row in rows.items()
    }


def approved_policy(
    drug: Drug, approved: Collection[str], *, egfr_ml_min: float | None, purpose: str = ""
) -> HoldPolicy | str:
    """The one approved row for a drug, or in words why there is none.

    A row that names the drug goes before one for its class. Two rows that fit equally well are a
    contradiction that a person must settle.
    """
    rows = [row for row in hold_policies().values() if row.name in approved and row.is_for(drug)]
    if not rows:
        return "The site has approved no hold policy for this medicine."
    rows = [row for row in rows if row.drugs] or rows
    if egfr_ml_min is None and any(row.asks_kidney for row in rows):
        return "How long to hold it depends on the kidneys; no creatinine or eGFR is known."
    rows = [row for row in rows if egfr_ml_min is None or row.fits_kidney(egfr_ml_min)]
    if not rows:
        return "The approved policy does not cover kidneys that work this little."
    if any(row.purpose for row in rows):
        if not purpose:
            return "How long to hold it depends on its purpose: prevention or treatment."
        rows = [row for row in rows if row.purpose in ("", purpose)]
    if len(rows) != 1:
        names = ", ".join(sorted(row.name for row in rows)) or "none"
        return f"The site has approved more than one policy that fits, or none ({names})."
    return rows[0]
