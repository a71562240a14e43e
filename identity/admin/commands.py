"""The base class of all admin classes: each write calls a command, or is not offered."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponseRedirect

from identity.api_auth import actor_from
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import MeetingRoomsError

Write = Literal["add", "change", "delete"]
REFUSAL = "_refusal"  # attribute of a request whose command was refused


class CommandAdmin(admin.ModelAdmin[Any]):
    """An admin that never saves or deletes a row itself.

    `offers` names the writes that have a command; `store` and `remove` call the command.
    `where_else` is a sentence on each page of the model about the other writes. The refusal of a
    command is shown in the form, or as a message, and nothing is stored.
    """

    offers: ClassVar[frozenset[Write]] = frozenset()
    where_else: ClassVar[str] = ""
    change_form_template = "admin/commands/change_form.html"
    change_list_template = "admin/commands/change_list.html"

    def store(self, actor: Actor, form: Any, formsets: list[Any]) -> None:
        """Call the command that stores a form and the rows of its inlines."""
        raise NotImplementedError

    def remove(self, actor: Actor, objects: Sequence[Any]) -> None:
        """Call the command that deletes each of the objects."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether the person may add, if a command adds this model."""
        return "add" in self.offers and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may change, if a command changes this model."""
        return "change" in self.offers and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may delete, if a command deletes this model."""
        return "delete" in self.offers and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save nothing: `save_related` passes the form and its inlines to the command together."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ARG002 - Django gives it
        """Call the command that stores the form and its inlines."""
        for formset in formsets:
            formset.save(commit=False)  # records the differences for the log of the admin site
        self.store(actor_from(request), form, formsets)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Call the command that deletes the object."""
        self.remove(actor_from(request), [obj])

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Call the command that deletes the chosen objects."""
        self.remove(actor_from(request), list(queryset))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        """Return the form class; after a refusal, a class that shows the refusal."""
        form = super().get_form(request, obj, change=change, **kw)
        refused: MeetingRoomsError | None = getattr(request, REFUSAL, None)
        return form if refused is None else _with_refusal(form, refused.detail)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form, or call the command, which opens its own transaction."""
        context = {"where_else": self.where_else, **(extra_context or {})}
        answer = self._changeform_view  # type: ignore[attr-defined]  # without Django's transaction
        try:
            return answer(request, object_id, form_url, context)
        except MeetingRoomsError as refused:
            setattr(request, REFUSAL, refused)
            return answer(request, object_id, form_url, context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list with the sentence of `where_else`."""
        context = {"where_else": self.where_else, **(extra_context or {})}
        return super().changelist_view(request, context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Ask for confirmation, then delete. A refusal is shown with the same question again."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except MeetingRoomsError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def response_action(
        self, request: HttpRequest, queryset: models.QuerySet[Any], *rest: Any
    ) -> Any:
        """Run an action on all chosen objects. After a refusal, no object is changed."""
        try:
            with transaction.atomic():
                return super().response_action(request, queryset, *rest)
        except MeetingRoomsError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def _with_refusal(form: type[forms.ModelForm[Any]], detail: str) -> type[forms.ModelForm[Any]]:
    """Return a form class that refuses every input with this sentence."""

    class RefusedForm(form):  # type: ignore[misc, valid-type]  # a class known at run time only
        def clean(self) -> Any:
            cleaned = super().clean()
            self.add_error(None, detail)
            return cleaned

    return RefusedForm
