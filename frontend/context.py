"""Context processors: variables for every template."""

from django.http import HttpRequest

from meeting_rooms.kernel.product import PRODUCT_NAME


def product(_request: HttpRequest) -> dict[str, str]:
    """Return the product's name for titles and headers."""
    return {"product_name": PRODUCT_NAME}
