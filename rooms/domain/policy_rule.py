"""The description of one policy rule. Pure.

A `SingleRule` has one value, which the most specific scope sets. A `ListedRule` is a list or a
calendar, which the scopes replace, merge or add up (`rooms.domain.resolve_policy`). The name of a
rule is the name of its field of `EffectivePolicy`; type and default are read from that field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_type_hints

from rooms.domain.effective_policy import EffectivePolicy

Bounds = tuple[int, int]  # smallest and largest value, both allowed
Sentence = Callable[[Any], str]

_FIELDS = {field.name: field for field in fields(EffectivePolicy)}
_TYPES = get_type_hints(EffectivePolicy)
_WORDS = {True: "yes", False: "no", None: "never"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """One rule with its texts: `sentence` explains a value, the rest is its row in the docs.

    `codes` are the error codes of bookings that break the rule.
    """

    name: str
    sentence: Sentence
    meaning: str
    example: str = ""
    codes: tuple[str, ...] = ()

    @property
    def default_text(self) -> str:
        """Return the default in words."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleRule(PolicyRule):
    """A rule with one value: a number within `bounds`, a choice or a switch.

    `help_text` is shown in the admin form. A number whose field may be None means "never" by 0,
    because a stored null is inherited.
    """

    bounds: Bounds | None = None
    help_text: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError unless exactly the numbers have bounds."""
        if (self.value_type is int) != (self.bounds is not None):
            message = f"{self.name}: a number needs bounds, and no other rule has bounds."
            raise ValueError(message)

    @property
    def default(self) -> Any:
        """Return the value that applies if no scope sets the rule."""
        return _FIELDS[self.name].default

    @property
    def default_text(self) -> str:
        """Return the default in words."""
        value = self.default
        return _WORDS[value] if value is None or isinstance(value, bool) else str(value)

    @property
    def value_type(self) -> type:
        """Return int, bool or the enum of the choices."""
        declared = _TYPES[self.name]
        kinds: list[type] = [k for k in get_args(declared) or (declared,) if k is not NoneType]
        return kinds[0]

    @property
    def choices(self) -> type[StrEnum] | None:
        """Return the enum of the choices; None for a number or a switch."""
        return self.value_type if issubclass(self.value_type, StrEnum) else None

    @property
    def is_never_by_zero(self) -> bool:
        """Return whether a stored 0 means "never"."""
        return NoneType in get_args(_TYPES[self.name])

    def parse(self, stored: Any) -> Any:
        """Return a stored value in the form of `EffectivePolicy`."""
        if self.is_never_by_zero and stored == 0:
            return None
        return stored if self.choices is None else self.choices(stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRule(PolicyRule):
    """A rule that is a list or a calendar; `when_empty` is its default in words."""

    when_empty: str = "none"

    @property
    def default_text(self) -> str:
        """Return the default in words."""
        return self.when_empty


def counted(unit: str, sentence: str, special: Mapping[Any, str] | None = None) -> Sentence:
    """Return a function that writes `sentence` with a number and its unit in place of `{}`.

    The values in `special` have sentences of their own.
    """

    def explain(value: Any) -> str:
        if special is not None and value in special:
            return special[value]
        return sentence.format(f"{value} {unit}" if value == 1 else f"{value} {unit}s")

    return explain


def by_value(sentences: Mapping[Any, str]) -> Sentence:
    """Return a function that finds the sentence of a value."""
    return sentences.__getitem__


def switched(on: str, off: str) -> Sentence:
    """Return a function that finds the sentence of a switch."""
    return {True: on, False: off}.__getitem__
