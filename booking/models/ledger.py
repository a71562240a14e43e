"""Model of the ledger: a version per person, so that quotas are counted correctly."""

from django.db import models

from identity.models import User


class PersonLedger(models.Model):
    """A version that every command raises when it has applied a quota of the person.

    If two commands counted the same bookings, the second one to write finds another version and
    counts again. `Room.schedule_version` cannot show this, because a quota spans several rooms.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    version = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.version)
