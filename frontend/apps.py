"""The Django application of the pages."""

from django.apps import AppConfig


class FrontendConfig(AppConfig):
    """Registers templates and static files; there are no models."""

    name = "frontend"

    def ready(self) -> None:
        """Register the renderer of the board with the hub."""
        from frontend.fragments import BOARD, BoardFragments  # templates need the apps loaded
        from realtime.hub.fragments import register_view

        register_view(BOARD, BoardFragments())
