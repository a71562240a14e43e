"""The admin site as an admin uses it: pages, forms, what the site answers."""

import html
import re
from typing import Any

from django.test import Client

from identity.models import Role, User
from identity.tests.factories import person

Answer = Any  # Django's test response


class AdminSite:
    """An admin who is signed in; paths are below /admin/."""

    def __init__(self, who: User | None = None) -> None:
        self.who = who or person("Ada", Role.ADMIN)
        self._client = Client()
        self._client.force_login(self.who)

    def get(self, path: str) -> Answer:
        return self._client.get(f"/admin/{path}")

    def post(self, path: str, fields: dict[str, Any]) -> Answer:
        return self._client.post(f"/admin/{path}", fields)

    def saved(self, path: str, fields: dict[str, Any]) -> list[str]:
        """Send a form that is taken; return the messages of the next page."""
        answer = self._client.post(f"/admin/{path}", fields, follow=True)
        assert answer.redirect_chain, text(answer)
        return [str(message) for message in answer.context["messages"]]

    def refused(self, path: str, fields: dict[str, Any]) -> str:
        """Send a form that is refused; return the page's text."""
        answer = self.post(path, fields)
        assert answer.status_code == 200, answer.headers
        assert answer.context["errors"]
        return text(answer)

    def act(self, page: str, action: str, *chosen: Any) -> list[str]:
        """Run an action of a list; return the messages of the next page."""
        fields = {"action": action, "_selected_action": [one.pk for one in chosen]}
        return self.saved(page, fields)

    def delete(self, page: str, *chosen: Any) -> list[str]:
        """Delete what was chosen in a list, the question answered."""
        fields = {"action": "delete_selected", "_selected_action": [one.pk for one in chosen]}
        return self.saved(page, fields | {"post": "yes"})


def text(answer: Answer) -> str:
    """Return what a page says, without its tags."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", answer.content.decode())
    return html.unescape(re.sub(r"<[^>]*>", " ", body))
