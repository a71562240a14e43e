"""Django's authentication backend, for the sign-in page and the admin site."""

from functools import cache
from typing import Any, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.utils.module_loading import import_string

from identity.addresses import address_of
from identity.commands.check_password import check_password
from identity.domain.attempts import Counters
from identity.models import User


class PasswordBackend(BaseBackend):
    """E-mail address and password, within the limits of `identity.domain.attempts`."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """Return the person; None if the password is wrong.

        Raises the errors of `check_password`.
        """
        email = username if username is not None else credentials.get(User.USERNAME_FIELD)
        if email is None or password is None:
            return None
        address = address_of(request) if request is not None else ""
        return check_password(
            email=email, password=password, address=address, counters=shared_counters()
        )

    async def aauthenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Do the same as `authenticate`, for asynchronous code."""
        return await sync_to_async(self.authenticate)(request, **credentials)

    def get_user(self, user_id: UUID) -> User | None:
        """Return the person of a session; None if the person is inactive or unknown."""
        return User.objects.filter(pk=user_id, is_active=True).first()


@cache
def shared_counters() -> Counters:
    """Return the counters of this process, made on first use."""
    return cast("Counters", import_string(settings.SIGN_IN_COUNTERS)())
