"""Django application of the project itself: its checks and commands."""

from django.apps import AppConfig

from meeting_rooms.kernel.product import PRODUCT_NAME


class MeetingRoomsConfig(AppConfig):
    """Registers the system checks."""

    name = "meeting_rooms"
    verbose_name = PRODUCT_NAME

    def ready(self) -> None:
        """Load the checks."""
        from meeting_rooms import checks  # noqa: F401 - registers itself
