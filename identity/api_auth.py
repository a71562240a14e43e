"""Who calls the REST API: a Bearer token, or a signed-in session with its CSRF token."""

from typing import cast

from django.http import HttpRequest
from ninja.security import HttpBearer, django_auth

from identity.models import User
from identity.selectors import actor_of
from identity.services.authenticate_api_token import authenticate_api_token
from meeting_rooms.kernel.actor import Actor


class ApiTokenAuth(HttpBearer):
    """`Authorization: Bearer <token>`, never a query parameter: those end up in access logs."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """Return the token's owner and make them the request's user."""
        user = authenticate_api_token(secret=token)
        if user is not None:
            request.user = user
        return user


API_AUTH = [ApiTokenAuth(), django_auth]


def user_from(request: HttpRequest) -> User:
    """Return the person an authenticated API request comes from."""
    return cast("User", request.user)


def actor_from(request: HttpRequest) -> Actor:
    """Return that person as the author of a command."""
    return actor_of(user_from(request))
