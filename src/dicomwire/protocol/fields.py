"""Named fields into values that are compared, shown and replaced by them.

Data classes do this with code of their own for each class, which is compiled at every start of a
program: with what makes it, a fifth of the time that a tool takes to begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any, ClassVar, NoReturn, Self, dataclass_transform


class Fields:
    """A value of named fields, which its constructor sets; they may be set anew: it has no hash."""

    def as_dict(self) -> dict[str, Any]:
        """Return all of them by their names."""
        return dict(vars(self))

    def __eq__(self, other: object) -> bool:
        return self.as_dict() == other.as_dict() if type(other) is type(self) else NotImplemented

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._shown())
        return f"{type(self).__name__}({shown})"

    def _shown(self) -> Iterable[tuple[str, Any]]:
        """Return the names and the values that `repr` shows."""
        return self.as_dict().items()

    def replace(self, **changes: Any) -> Self:
        """Return a copy in which some fields are others.

        Raises
        ------
        TypeError
            When it has no such field.
        """
        _check_names(self, changes, vars(self))
        new = copy(self)
        vars(new).update(changes)
        return new


def _check_names(value: object, given: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(given).difference(known))
    if unknown:
        raise TypeError(f"{type(value).__name__} has no {', '.join(unknown)}")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Settings(Fields):
    """Named settings that have a default each, and do not change.

    A subclass lists them with their types and defaults, and says in `_check` what they can be.
    """

    _names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = [name for name in cls.__annotations__ if not name.startswith("_")]
        cls._names = (*cls._names, *own)

    def __init__(self, **given: Any) -> None:
        _check_names(self, given, self._names)
        vars(self).update(given)  # what is not given is the default, of the class
        self._check()

    def _check(self) -> None:
        """Raise ValueError when one of them cannot be."""

    def replace(self, **changes: Any) -> Self:
        """Return settings of which some are others, checked like these."""
        return type(self)(**{**vars(self), **changes})

    def as_dict(self) -> dict[str, Any]:
        """Return all of them by their names, with the defaults."""
        return {name: getattr(self, name) for name in self._names}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set: use replace({name}=...)")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be removed")

    def __hash__(self) -> int:
        values = (getattr(self, name) for name in self._names)
        return hash((type(self), *(each for each in values if not isinstance(each, Mapping))))
