"""The error tree: what can go wrong because of what came in, or while it is worked on.

::

    VertebroError
    ├── InputError          bad input: a file, a value, a combination of options
    │   ├── ReadError       a file that cannot be read as what it should be
    │   ├── GeometryError   an image or label grid that makes no sense in the world
    │   ├── MismatchError   two inputs that do not belong together
    │   └── SettingsError   a setting outside its range
    ├── SolverError         a computation that did not reach its goal
    └── Cancelled           somebody asked for the work to stop

A programmer's error is an ``AssertionError`` or ``TypeError`` and is not here.
A clinical or data *finding* is data, not an exception: see :mod:`vertebro.findings`.
"""

from __future__ import annotations


class VertebroError(Exception):
    """Root of every error that vertebro raises on purpose."""


class InputError(VertebroError, ValueError):
    """Input that cannot be worked with, told in three parts.

    Parameters
    ----------
    code : str
        Stable dotted name, e.g. ``"dicom.no_ct_series"``; documentation and screens key on it.
    got : str
        What was found. Never holds a patient's name.
    needed : str
        What is needed instead.
    remedy : str
        What the reader can do about it.
    fields : tuple of str
        Names of the arguments or settings concerned.

    Examples
    --------
    >>> print(InputError("volume.spacing", got="a slice spacing of 0 mm",
    ...                  needed="a spacing above 0 mm", remedy="Export the series again."))
    Got a slice spacing of 0 mm. Needed: a spacing above 0 mm. Export the series again.
    """

    def __init__(
        self, code: str, *, got: str, needed: str, remedy: str, fields: tuple[str, ...] = ()
    ) -> None:
        self.code = code
        self.got = got
        self.needed = needed
        self.remedy = remedy
        self.fields = fields
        super().__init__(f"Got {got}. Needed: {needed}. {remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by keyword, so that errors cross process borders whole."""
        return (
            _rebuild_input_error,
            (type(self), self.code, self.got, self.needed, self.remedy, self.fields),
        )


def _rebuild_input_error(
    kind: type[InputError], code: str, got: str, needed: str, remedy: str, fields: tuple[str, ...]
) -> InputError:
    return kind(code, got=got, needed=needed, remedy=remedy, fields=fields)


class ReadError(InputError):
    """A file or folder that cannot be read as what it should be."""


class GeometryError(InputError):
    """An image grid that has no sensible place in the world."""


class MismatchError(InputError):
    """Two inputs that do not belong to the same patient or frame of reference."""


class SettingsError(InputError):
    """A setting outside its documented range."""


class SolverError(VertebroError):
    """A computation that ended without reaching its goal."""


class Cancelled(VertebroError):  # noqa: N818 - it is no error, somebody asked for it
    """Somebody asked for the work to stop."""


def require_range(
    name: str, value: float, lower: float, upper: float, *, code: str = "settings.range", unit: str = ""
) -> None:
    """Raise :class:`SettingsError` unless ``lower <= value <= upper``.

    Examples
    --------
    >>> require_range("spacing_mm", 1.0, 0.2, 5.0)
    >>> require_range("spacing_mm", float("nan"), 0.2, 5.0, unit="mm")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    vertebro.errors.SettingsError: Got spacing_mm = nan mm. Needed: 0.2 to 5.0 mm. Choose ...
    """
    if not lower <= value <= upper:
        tail = f" {unit}" if unit else ""
        if upper == float("inf"):
            needed = f"at least {lower}{tail}"
        elif lower == float("-inf"):
            needed = f"at most {upper}{tail}"
        else:
            needed = f"{lower} to {upper}{tail}"
        raise SettingsError(
            code,
            got=f"{name} = {value}{tail}",
            needed=needed,
            remedy="Choose a value in that range.",
            fields=(name,),
        )
