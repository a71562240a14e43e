"""REST: the rules of a room, and the policies of campus, buildings and rooms."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Header, Router, Schema

from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.kernel.errors import OutdatedCommandError
from rooms.domain.effective_policy import Scope
from rooms.domain.error_codes import RoomsErrorCode
from rooms.domain.explain_policy import explain
from rooms.domain.policy_document import PolicyDocument
from rooms.policies.cache import current_room_policies
from rooms.policies.set_policy import require_may_set, set_policy
from rooms.policies.store import CAMPUS, PolicyScope, building_scope, document_of, room_scope

router = Router(tags=["policies"])
IfMatch = Annotated[str | None, Header(alias="If-Match")]
_READ = {200: PolicyDocument, 403: Problem, 404: Problem}
_WRITE = {**_READ, 412: Problem, 422: Problem}
_SET = "Change the policy of one scope"


class RuleOut(Schema):
    """One rule of a room: its value, the scope that sets it, and a sentence about the value."""

    rule: str
    value: Any
    source: Scope
    sentence: str


class RoomPolicyOut(Schema):
    """The effective rules of a room, at one version of all rules."""

    room: UUID
    version: int
    rules: list[RuleOut]


@router.get(
    "/rooms/{room_id}/policy",
    response={200: RoomPolicyOut, 404: Problem},
    summary="The effective rules of a room",
)
def show_rules(
    request: HttpRequest,  # noqa: ARG001
    room_id: UUID,
    rule: str | None = None,
) -> RoomPolicyOut:
    """Return every rule, or only `rule`, with the scope that sets it and a sentence."""
    [rules] = current_room_policies([room_id])
    shown = [RuleOut(**explanation._asdict()) for explanation in explain(rules, rule)]
    return RoomPolicyOut(room=room_id, version=rules.version, rules=shown)


@router.get(
    "/policies/campus",
    response=_READ,
    summary="The policy of the campus",
    operation_id="show_campus_policy",
)
def show_campus(request: HttpRequest, response: HttpResponse) -> PolicyDocument:
    """Return the campus's policy and its ETag; null members keep the defaults."""
    return _shown(request, response, CAMPUS)


@router.get(
    "/policies/buildings/{slug}",
    response=_READ,
    summary="The policy of a building",
    operation_id="show_building_policy",
)
def show_building(request: HttpRequest, response: HttpResponse, slug: str) -> PolicyDocument:
    """Return a building's policy and its ETag; null members are inherited from the campus."""
    return _shown(request, response, building_scope(slug))


@router.get(
    "/policies/rooms/{room_id}",
    response=_READ,
    summary="The policy of a room",
    operation_id="show_room_policy",
)
def show_room(request: HttpRequest, response: HttpResponse, room_id: UUID) -> PolicyDocument:
    """Return a room's policy and its ETag; null members are inherited from its building."""
    return _shown(request, response, room_scope(room_id))


@router.patch(
    "/policies/campus", response=_WRITE, summary=_SET, operation_id="change_campus_policy"
)
def set_campus(
    request: HttpRequest, response: HttpResponse, body: PolicyDocument, if_match: IfMatch = None
) -> PolicyDocument:
    """Set the members that are given; send the ETag as If-Match to detect a concurrent change."""
    return _set(request, response, CAMPUS, body, if_match)


@router.patch(
    "/policies/buildings/{slug}",
    response=_WRITE,
    summary=_SET,
    operation_id="change_building_policy",
)
def set_building(
    request: HttpRequest,
    response: HttpResponse,
    slug: str,
    body: PolicyDocument,
    if_match: IfMatch = None,
) -> PolicyDocument:
    """Set the members that are given; send the ETag as If-Match to detect a concurrent change."""
    return _set(request, response, building_scope(slug), body, if_match)


@router.patch(
    "/policies/rooms/{room_id}", response=_WRITE, summary=_SET, operation_id="change_room_policy"
)
def set_room(
    request: HttpRequest,
    response: HttpResponse,
    room_id: UUID,
    body: PolicyDocument,
    if_match: IfMatch = None,
) -> PolicyDocument:
    """Set the members that are given; send the ETag as If-Match to detect a concurrent change."""
    return _set(request, response, room_scope(room_id), body, if_match)


def _shown(request: HttpRequest, response: HttpResponse, scope: PolicyScope) -> PolicyDocument:
    require_may_set(actor_from(request), scope)
    return _with_etag(response, document_of(scope))


def _set(
    request: HttpRequest,
    response: HttpResponse,
    scope: PolicyScope,
    body: PolicyDocument,
    if_match: str | None,
) -> PolicyDocument:
    done = set_policy(
        actor=actor_from(request), scope=scope, changes=body, expected=_fingerprint(if_match)
    )
    return _with_etag(response, done)


def _with_etag(response: HttpResponse, document: PolicyDocument) -> PolicyDocument:
    response["ETag"] = f'"{document.fingerprint()}"'
    return document


def _fingerprint(if_match: str | None) -> str | None:
    """Return the fingerprint in If-Match; None if the header is absent or `*`.

    Raises OutdatedCommandError `stale_policy` for a weak tag, which never matches. Source: RFC
    9110, section 13.1.1.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if if_match.startswith("W/"):
        raise OutdatedCommandError(
            "The ETag in If-Match is weak. Send the ETag of the answer, without 'W/'.",
            code=RoomsErrorCode.STALE_POLICY,
        )
    return if_match.strip().strip('"')
