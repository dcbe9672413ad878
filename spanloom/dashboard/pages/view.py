"""The address of a list: range, filters, order, place. Everything that is chosen stands in it, so that a
view can be shared, and every control is a link or a form that leads to another address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from urllib.parse import urlencode

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from spanloom.dashboard.api.errors import BadQuery, sentence
from spanloom.dashboard.api.parameters import Paged

RANGES: Mapping[str, int | None] = {
    "15m": 900,
    "1h": 3600,
    "6h": 6 * 3600,
    "24h": 86_400,
    "7d": 7 * 86_400,
    "30d": 30 * 86_400,
    "90d": 90 * 86_400,
    "all": None,
}
"""The presets: seconds back from now; None is without a beginning."""

DEFAULT_RANGE = "24h"

REPEATABLE = ("tag", "model", "service", "metadata")

_PLACE = ("cursor",)
"""What any change of the rest makes meaningless."""

_SHARED_BY_FORMS = ("range", "from", "to", "sort", "order", "limit")

_BOUNDS = {"traces": "traces", "duration": "s", "tokens": "tokens", "cost": "USD"}

Q = TypeVar("Q", bound=Paged)


@dataclass(frozen=True)
class Chip:
    """One filter in words, and where it is gone."""

    name: str
    value: str
    without: str


@dataclass(frozen=True)
class View(Generic[Q]):
    """A list as chosen.

    Attributes:
        path: of the list.
        given: the parameters as they stand in the address, without empty ones.
        range: the preset; empty where the range is custom.
        query: the same as the API takes it.
    """

    path: str
    given: tuple[tuple[str, str], ...]
    range: str
    query: Q

    def value(self, name: str) -> str:
        """The last value of a parameter, empty without one: for a form's field."""
        return next((value for key, value in reversed(self.given) if key == name), "")

    def to(self, **changes: str | None) -> str:
        """The address with some parameters changed; None takes one away. Leads to the first page."""
        kept = [(key, value) for key, value in self.given if key not in changes and key not in _PLACE]
        return address(self.path, [*kept, *((key, value) for key, value in changes.items() if value)])

    def adding(self, name: str, value: str) -> str:
        """The address with one filter more; where only one value can be, with that one."""
        if name not in REPEATABLE:
            return self.to(**{name: value})
        kept = [pair for pair in self.given if pair[0] not in _PLACE and pair != (name, value)]
        return address(self.path, [*kept, (name, value)])

    def in_range(self, name: str) -> str:
        """The address with a preset range."""
        return self.to(**{"range": name, "from": None, "to": None})

    def sorted_by(self, column: str, first: str) -> str:
        """The address with another order: turned round where it is sorted by this column already."""
        order = first
        if self.query.sort == column:  # type: ignore[attr-defined]
            order = "asc" if self.query.order == "desc" else "desc"
        return self.to(sort=column, order=order)

    def after(self, cursor: str) -> str:
        """The address of the next rows."""
        return address(self.path, [*(pair for pair in self.given if pair[0] != "cursor"), ("cursor", cursor)])

    def exported(self, form: str) -> str:
        """The address of the whole list as a file, in its order."""
        kept = [pair for pair in self.given if pair[0] not in ("cursor", "limit", "format")]
        return address(f"{self.path}/export", [*kept, ("format", form)])

    def elsewhere(self, path: str) -> str:
        """The address of the other list with the same range and filters."""
        return address(path, [pair for pair in self.given if pair[0] not in ("sort", "order", "cursor")])

    def hidden(self) -> list[tuple[str, str]]:
        """What a form of filters has to carry along: range, order, and values of which there may be several."""
        return [(key, value) for key, value in self.given if key in (*_SHARED_BY_FORMS, *REPEATABLE)]

    def hidden_of_range(self) -> list[tuple[str, str]]:
        """What the form of a custom range has to carry along."""
        return [(key, value) for key, value in self.given if key not in ("range", "from", "to", "cursor")]

    def cleared(self) -> str:
        """The address without filters; range and order stay."""
        return address(self.path, [pair for pair in self.given if pair[0] in _SHARED_BY_FORMS])

    def chips(self) -> list[Chip]:
        """Every filter that is set, in words."""
        chips = []
        for pair in self.given:
            name, value = pair
            if name in _SHARED_BY_FORMS or name in _PLACE:
                continue
            kept = [other for other in self.given if other != pair and other[0] not in _PLACE]
            without = address(self.path, kept)
            kind, _, what = name.partition("_")
            if kind in ("min", "max") and what in _BOUNDS:
                name, value = what, f"{'≥' if kind == 'min' else '≤'} {value} {_BOUNDS[what]}"
            chips.append(Chip({"q": "text", "session_id": "session"}.get(name, name), value, without))
        return chips


def read_view(path: str, kind: type[Q], parameters: Iterable[tuple[str, str]], now: datetime) -> View[Q]:
    """Return what an address says.

    Raises:
        BadQuery: it makes no sense; one sentence.
    """
    given = tuple((key, value) for key, value in parameters if value.strip())
    fields: dict[str, str | datetime | list[str]] = {}
    for key, value in given:
        if key in REPEATABLE:
            fields.setdefault(key, []).append(value)  # type: ignore[union-attr]
        else:
            fields[key] = value
    chosen = str(fields.pop("range", ""))
    if "from" in fields or "to" in fields:
        chosen = ""
    else:
        chosen = chosen or DEFAULT_RANGE
        if chosen not in RANGES:
            raise BadQuery(f"There is no range {chosen[:100]!r}: use one of {', '.join(RANGES)}")
        back = RANGES[chosen]
        if back is not None:
            fields["from"] = now - timedelta(seconds=back)
    try:
        query = kind.model_validate(fields)
    except ValidationError as error:
        raise BadQuery(sentence(RequestValidationError(error.errors()))) from None
    if query.since and query.until and query.until < query.since:
        raise BadQuery("The range ends before it begins: choose another one")
    return View(path, given, chosen, query)


def address(path: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A path with parameters."""
    encoded = urlencode(list(parameters))
    return f"{path}?{encoded}" if encoded else path
