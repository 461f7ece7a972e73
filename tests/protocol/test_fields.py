"""Named fields make values that are compared, shown and replaced by them."""

from __future__ import annotations

import copy
import pickle
from types import MappingProxyType

import pytest

from dicomwire.protocol.fields import Fields, Settings
from dicomwire.protocol.items import UserIdentity, UserIdentityResponse


class Point(Fields):
    """Where something is."""

    def __init__(self, x: int, y: int = 0) -> None:
        self.x = x
        self.y = y


class Place(Point):
    """Of another type."""


class Colours(Settings):
    """How something looks."""

    red: int = 1
    names: MappingProxyType[str, int] = MappingProxyType({})

    def _check(self) -> None:
        if self.red < 0:
            raise ValueError(f"Colours.red cannot be {self.red}")


def test_fields_make_values_equal() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != Place(1, 2)
    assert Point(1, 2) != (1, 2)


def test_a_value_is_shown_with_its_fields() -> None:
    assert repr(Point(1)) == "Point(x=1, y=0)"


def test_secrets_are_not_shown() -> None:
    assert "word" not in repr(UserIdentity(2, True, b"name", b"word"))
    assert "name" not in repr(UserIdentity(2, True, b"name", b"word"))
    assert repr(UserIdentityResponse(b"word")) == "UserIdentityResponse()"


def test_values_that_may_be_set_have_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(Point(1))


def test_a_copy_has_other_fields() -> None:
    point = Point(1, 2)
    assert point.replace(y=3) == Point(1, 3)
    assert point == Point(1, 2)
    with pytest.raises(TypeError, match="Point has no z"):
        point.replace(z=3)


def test_settings_have_defaults() -> None:
    assert Colours().as_dict() == {"red": 1, "names": {}}
    assert Colours(red=2).red == 2
    with pytest.raises(TypeError, match="Colours has no blue"):
        Colours(blue=2)  # type: ignore[call-arg]


class Shades(Colours):
    """More of how it looks."""

    dark: bool = False


class Plain(Shades):
    """No more."""


def test_settings_may_have_more_settings() -> None:
    assert Plain(red=2, dark=True).as_dict() == {"red": 2, "names": {}, "dark": True}
    assert Plain(red=2) != Shades(red=2)


def test_settings_go_to_other_processes() -> None:
    assert pickle.loads(pickle.dumps(Colours(red=3))) == Colours(red=3)
    assert copy.deepcopy(Colours(red=3)) == Colours(red=3)


def test_settings_are_what_they_can_be() -> None:
    with pytest.raises(ValueError, match="red cannot be -1"):
        Colours(red=-1)
    with pytest.raises(ValueError, match="red cannot be -1"):
        Colours().replace(red=-1)


def test_settings_do_not_change() -> None:
    colours = Colours()
    with pytest.raises(AttributeError, match="replace"):
        colours.red = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match="removed"):
        del colours.red
    assert colours.replace(red=3) == Colours(red=3)
    assert colours.red == 1


def test_settings_are_equal_however_they_were_given() -> None:
    assert Colours() == Colours(red=1)
    assert hash(Colours()) == hash(Colours(red=1))
    assert Colours() != Colours(red=2)
    assert hash(Colours()) != hash(Colours(red=2))
    assert Colours() != Point(1)


def test_settings_with_a_mapping_have_a_hash() -> None:
    named = Colours(names=MappingProxyType({"a": 1}))
    assert hash(named) == hash(Colours())
    assert named != Colours()
    assert repr(named) == "Colours(red=1, names=mappingproxy({'a': 1}))"
