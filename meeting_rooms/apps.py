"""Django application of the project itself: its checks and commands."""

from django.apps import AppConfig


class MeetingRoomsConfig(AppConfig):
    """Registers the system checks."""

    name = "meeting_rooms"
    verbose_name = "Meeting Rooms"

    def ready(self) -> None:
        """Load the checks."""
        from meeting_rooms import checks  # noqa: F401 - registers itself
