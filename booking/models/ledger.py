"""A number per person that changes when a command counted what they have booked."""

from django.db import models

from identity.models import User


class PersonLedger(models.Model):
    """Raised by every command that applied a quota; of two that counted the same, one must recount.

    Rooms have `schedule_version` for this; quotas span rooms.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    version = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.version)
