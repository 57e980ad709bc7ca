"""What all forms share: fieldsets, taps instead of typing, the version a person saw."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

MOST_RADIOS = 6


class Scale(forms.RadioSelect):
    """Numbers 0 to 10 to tap."""

    template_name = "clinic/widgets/scale.html"


class Taps(forms.RadioSelect):
    """A few answers side by side to tap."""

    template_name = "clinic/widgets/taps.html"


def _whole(text: Any) -> int | None:
    return None if text in (None, "") else int(text)


def formfield(field: models.Field[Any, Any], **options: Any) -> forms.Field | None:
    """The control for a model's field.

    Taps for few answers, a scale for scores, the browser's own date picker.
    """
    if isinstance(field, models.PositiveSmallIntegerField) and not field.choices:
        uppers = [v.limit_value for v in field.validators if isinstance(v, MaxValueValidator)]
        if uppers and min(uppers) == 10:
            return forms.TypedChoiceField(
                label=field.verbose_name,
                choices=[(str(n), str(n)) for n in range(11)],
                coerce=_whole,
                empty_value=None,
                required=False,
                widget=Scale,
            )
    if isinstance(field, models.DateTimeField):
        options["widget"] = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    elif isinstance(field, models.DateField):
        options["widget"] = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    elif isinstance(field, models.TextField):
        options["widget"] = forms.Textarea(attrs={"rows": 3})
    elif field.choices and len(list(field.choices)) <= MOST_RADIOS and isinstance(field, models.CharField):
        made = field.formfield(**options)
        choices = [pair for pair in getattr(made, "choices", []) if pair[0] != ""]
        return forms.ChoiceField(
            label=field.verbose_name,
            choices=choices,
            required=not field.blank,
            widget=Taps,
            initial=field.default if field.has_default() else None,
        )
    return field.formfield(**options)


class ClinicForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form for a record or a row of a case.

    ``sections`` orders the fields under headings; fields in none stand at the end.
    """

    sections: ClassVar[tuple[tuple[Any, tuple[str, ...]], ...]] = ()
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0, min_value=0)

    class Meta:
        formfield_callback = formfield

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["version"] = self.instance.version

    def values(self) -> dict[str, Any]:
        """The fields as a verb takes them."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}

    def laid_out(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Headings with their fields, as the page shows them."""
        placed = [name for _title, names in self.sections for name in names]
        rest = [name for name in self.fields if name not in placed and name != "version"]
        groups = [
            (title, [self[name] for name in names if name in self.fields]) for title, names in self.sections
        ]
        return [*groups, ("", [self[name] for name in rest])] if rest else groups


class ReasonForm(forms.Form):
    """A reason."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


def no_future(value: Any, today: Any) -> bool:
    """Whether a date lies in the past or today."""
    return value is None or bool(value <= today)
