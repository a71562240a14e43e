"""The sign-in page, and the page of a person's own API tokens."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from identity.api_auth import user_from
from identity.commands.issue_api_token import IssuedToken, issue_api_token
from identity.commands.revoke_api_token import revoke_api_token
from meeting_rooms.kernel.errors import MeetingRoomsError


class SignIn(LoginView):
    """The sign-in page."""

    template_name = "frontend/sign_in.html"
    redirect_authenticated_user = True
    extra_context = {"is_demo": settings.DEMO}


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Show the tokens of the person; a POST makes a token and shows its secret only once."""
    user = user_from(request)
    issued: IssuedToken | None = None
    problem = ""
    if request.method == "POST":
        try:
            issued = issue_api_token(user=user, name=request.POST.get("name", ""))
        except MeetingRoomsError as exc:
            problem = exc.detail
    context = {
        "tokens": user.api_tokens.filter(revoked_at=None),
        "issued": issued,
        "problem": problem,
        "page": "tokens",
    }
    return render(request, "frontend/tokens.html", context, status=422 if problem else 200)


@login_required
@require_POST
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Revoke a token of the person. A token that is revoked already is not an error."""
    user = user_from(request)
    if user.api_tokens.filter(pk=token_id, revoked_at=None).exists():
        revoke_api_token(user=user, token_id=token_id)
    return redirect("tokens")
