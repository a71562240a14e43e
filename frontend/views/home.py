"""The start page: the list of buildings with links to their boards and booking forms."""

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rooms.models import Building


def home(request: HttpRequest) -> HttpResponse:
    """List the buildings whose boards the visitor may open, by name."""
    buildings = Building.objects.annotate(
        room_count=Count("floors__rooms", filter=Q(floors__rooms__is_active=True))
    )
    buildings = buildings.order_by("name", "pk")  # the annotation drops the model's own order
    if not request.user.is_authenticated:
        buildings = buildings.filter(is_board_public=True)
    return render(request, "frontend/home.html", {"buildings": buildings, "page": "home"})
