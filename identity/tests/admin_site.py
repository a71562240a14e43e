"""A client of the admin site: its pages, its forms and their answers."""

import html
import re
from typing import Any

from django.test import Client

from identity.models import Role, User
from identity.tests.factories import person

Answer = Any  # Django's test response


class AdminSite:
    """The admin site for a signed-in admin; paths are relative to /admin/."""

    def __init__(self, who: User | None = None) -> None:
        self.who = who or person("Ada", Role.ADMIN)
        self._client = Client()
        self._client.force_login(self.who)

    def get(self, path: str) -> Answer:
        return self._client.get(f"/admin/{path}")

    def post(self, path: str, fields: dict[str, Any]) -> Answer:
        return self._client.post(f"/admin/{path}", fields)

    def saved(self, path: str, fields: dict[str, Any]) -> list[str]:
        """Send a valid form; return the messages of the next page."""
        answer = self._client.post(f"/admin/{path}", fields, follow=True)
        assert answer.redirect_chain, text(answer)
        return [str(message) for message in answer.context["messages"]]

    def refused(self, path: str, fields: dict[str, Any]) -> str:
        """Send an invalid form; return the text of the page."""
        answer = self.post(path, fields)
        assert answer.status_code == 200, answer.headers
        assert answer.context["errors"]
        return text(answer)

    def act(self, page: str, action: str, *chosen: Any) -> list[str]:
        """Run an action of a list on the chosen objects; return the messages of the next page."""
        fields = {"action": action, "_selected_action": [one.pk for one in chosen]}
        return self.saved(page, fields)

    def delete(self, page: str, *chosen: Any) -> list[str]:
        """Delete the chosen objects of a list and confirm; return the messages of the next page."""
        fields = {"action": "delete_selected", "_selected_action": [one.pk for one in chosen]}
        return self.saved(page, fields | {"post": "yes"})


def text(answer: Answer) -> str:
    """Return the text of a page, without its tags."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", answer.content.decode())
    return html.unescape(re.sub(r"<[^>]*>", " ", body))
