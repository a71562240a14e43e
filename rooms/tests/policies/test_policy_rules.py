"""The tables of rules: complete, and consistent with the fields of the policy."""

from dataclasses import fields

import pytest

from rooms.domain.effective_policy import Approval, EffectivePolicy
from rooms.domain.listed_rules import LISTED_RULES
from rooms.domain.policy_document import PolicyDocument
from rooms.domain.policy_rule import SingleRule, by_value, counted
from rooms.domain.policy_rules import SINGLE_RULES


def allowed_values(rule):
    """Return the choices, both positions of a switch, or the bounds and default of a number."""
    if rule.choices is not None:
        return list(rule.choices)
    return [True, False] if rule.bounds is None else [*rule.bounds, rule.default]


def test_tables__against_the_policy__have_a_row_for_every_field():
    names = [field.name for field in fields(EffectivePolicy)]
    assert sorted([*SINGLE_RULES, *LISTED_RULES, "sources"]) == sorted(names)


def test_document__members__are_the_rules_of_the_tables():
    assert list(PolicyDocument.model_fields) == [*SINGLE_RULES, *LISTED_RULES]


@pytest.mark.parametrize("rule", SINGLE_RULES.values(), ids=lambda rule: rule.name)
def test_rule__default__is_allowed_by_its_own_bounds_and_choices(rule):
    if rule.default is not None:
        PolicyDocument.model_validate({rule.name: rule.default})
        assert rule.parse(rule.default) == rule.default


@pytest.mark.parametrize("rule", SINGLE_RULES.values(), ids=lambda rule: rule.name)
def test_rule__every_allowed_value__has_a_sentence_of_its_own(rule):
    values = {rule.parse(value) for value in allowed_values(rule)}
    sentences = {rule.sentence(value) for value in values}
    assert len(sentences) == len(values) > 1
    assert all(text[0].isupper() and text.endswith(".") for text in sentences)


@pytest.mark.parametrize(
    "name,stored,value",
    [
        ("absence_minutes", 0, None),
        ("absence_minutes", 5, 5),
        ("no_show_limit", 0, None),
        ("gap_minutes", 0, 0),
        ("pending_blocks", False, False),
        ("approval", "always", Approval.ALWAYS),
    ],
)
def test_rule__stored_value__becomes_that_of_the_policy(name, stored, value):
    assert SINGLE_RULES[name].parse(stored) is value


@pytest.mark.parametrize(
    "name,bounds", [("gap_minutes", None), ("approval", (0, 1)), ("pending_blocks", (0, 1))]
)
def test_rule__bounds_that_do_not_fit_its_type__are_refused(name, bounds):
    with pytest.raises(ValueError, match=name):
        SingleRule(name=name, sentence=by_value({}), meaning="", bounds=bounds)


@pytest.mark.parametrize(
    "value,sentence", [(0, "None."), (1, "After 1 day."), (2, "After 2 days.")]
)
def test_sentence__of_a_number__has_singular_and_plural(value, sentence):
    assert counted("day", "After {}.", {0: "None."})(value) == sentence
