"""Converts forms and inline rows of the policy pages to the document for `set_policy`."""

from collections.abc import Collection, Iterable
from typing import Any

from pydantic import ValidationError

from meeting_rooms.kernel.errors import InvalidCommandError
from rooms.domain.error_codes import RoomsErrorCode
from rooms.domain.policy_document import PolicyDocument
from rooms.domain.policy_rules import SINGLE_RULES
from rooms.models import (
    ExceptionPeriod,
    OpeningException,
    OpeningHours,
    Policy,
    PolicyPerson,
    Quota,
)

Member = dict[str, Any]


def changes_of(form: Any, formsets: Iterable[Any]) -> PolicyDocument:
    """Return the members of the policy that the page changes. A changed list is complete.

    Raises InvalidCommandError `impossible_policy`.
    """
    given = {name: form.cleaned_data[name] for name in SINGLE_RULES if name in form.changed_data}
    for formset in formsets:
        if formset.has_changed():
            given |= _members(formset.model, rows_of(formset))
    return _document(given)


def exceptions_with(
    policy: Policy, wanted: Iterable[Member], *, besides: Collection[int]
) -> PolicyDocument:
    """Return the exceptions of the policy, without the rows `besides`, plus the wanted rows.

    Raises InvalidCommandError `impossible_policy`.
    """
    kept = policy.exceptions.prefetch_related("periods").exclude(pk__in=besides)
    return _document({"exceptions": [*(exception_of(row) for row in kept), *wanted]})


def exception_of(row: OpeningException, periods: Iterable[ExceptionPeriod] | None = None) -> Member:
    """Return an exception with the given periods, or with its stored periods."""
    if periods is None:
        periods = row.periods.all() if row.pk else ()
    return {
        "first_date": row.first_date,
        "last_date": row.last_date,
        "reason": row.reason,
        "is_holiday": row.is_holiday,
        "periods": [{"opens": period.opens, "closes": period.closes} for period in periods],
    }


def rows_of(formset: Any) -> list[Any]:
    """Return the rows of the inline that are neither deleted nor empty."""
    return [
        form.instance
        for form in formset.forms
        if form not in formset.deleted_forms and (form.instance.pk or form.has_changed())
    ]


def _members(model: type[Any], rows: list[Any]) -> Member:
    if model is OpeningHours:
        return {
            "hours": [
                {"weekday": row.weekday, "opens": row.opens, "closes": row.closes} for row in rows
            ]
        }
    if model is OpeningException:
        return {"exceptions": [exception_of(row) for row in rows]}
    if model is Quota:
        return {"quotas": [_quota(row) for row in rows]}
    bookers, managers = PolicyPerson.Role.BOOKER, PolicyPerson.Role.MANAGER
    return {
        name: [row.user_id for row in rows if row.role == role]
        for name, role in (("bookers", bookers), ("managers", managers))
    }


def _quota(row: Quota) -> Member:
    window = None
    if row.window_opens is not None and row.window_closes is not None:
        window = {"opens": row.window_opens, "closes": row.window_closes}
    return {
        "period": row.period,
        "max_count": row.max_count,
        "max_minutes": row.max_minutes,
        "week_starts": row.week_starts,
        "window": window,
    }


def _document(given: Member) -> PolicyDocument:
    try:
        return PolicyDocument.model_validate(given)
    except ValidationError as exc:
        reasons = "; ".join(
            f"{' '.join(str(part) for part in error['loc'])}: {error['msg']}"
            for error in exc.errors()
        )
        raise InvalidCommandError(reasons, code=RoomsErrorCode.IMPOSSIBLE_POLICY) from exc
