"""The URLs of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from frontend.views import account, board, book, displays, home, slot

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("board/<slug:building>", board.board, name="board"),
    path("book/<slug:building>", book.book, name="book"),
    path("book/<slug:building>/slot", slot.slot, name="slot"),
    path("displays", displays.displays, name="displays"),
    path("sign-in", account.SignIn.as_view(), name="sign_in"),
    path("sign-out", LogoutView.as_view(), name="sign_out"),
    path("account/tokens", account.tokens, name="tokens"),
    path("account/tokens/<uuid:token_id>/revoke", account.revoke, name="revoke_token"),
]
