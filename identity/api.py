"""REST: the caller's account and API tokens."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from identity.api_auth import user_from
from identity.commands.issue_api_token import issue_api_token
from identity.commands.revoke_api_token import revoke_api_token
from identity.models import ApiToken, Role, User
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Body, Instant

router = Router(tags=["account"])


class MeOut(Schema):
    """The person who calls."""

    id: UUID
    email: str
    display_name: str
    role: Role


class TokenIn(Body):
    """A token to be made."""

    name: str = Field(max_length=100, examples=["lobby bot"])
    expires_at: Instant | None = None


class TokenOut(Schema):
    """A token without its secret."""

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewTokenOut(TokenOut):
    """A token with its secret, which is shown only once."""

    secret: str


@router.get("/me", response={200: MeOut}, operation_id="show_me", summary="Who am I")
def me(request: HttpRequest) -> User:
    """Return the person behind the token or session."""
    return user_from(request)


@router.get("/tokens", response={200: list[TokenOut]}, summary="My active API tokens")
def list_tokens(request: HttpRequest) -> list[ApiToken]:
    """Return the caller's tokens that are not revoked, newest first."""
    return list(user_from(request).api_tokens.filter(revoked_at=None))


@router.post("/tokens", response={201: NewTokenOut, 429: Problem}, summary="Make an API token")
def make_token(request: HttpRequest, body: TokenIn) -> Status[NewTokenOut]:
    """Make a token for the caller. Its secret cannot be read again."""
    issued = issue_api_token(user=user_from(request), name=body.name, expires_at=body.expires_at)
    public = TokenOut.from_orm(issued.record)
    return Status(201, NewTokenOut(**public.dict(), secret=issued.secret))


@router.delete("/tokens/{token_id}", response={204: None, 404: Problem}, summary="Revoke a token")
def revoke_token(request: HttpRequest, token_id: UUID) -> Status[None]:
    """Revoke one of the caller's tokens at once."""
    revoke_api_token(user=user_from(request), token_id=token_id)
    return Status(204, None)
