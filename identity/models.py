"""People, their API tokens, and devices. Fields and constraints only."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from identity.domain.tokens import TOKEN_PREFIX_LENGTH


class Role(models.TextChoices):
    """What a person may do: staff book, admins run the place."""

    STAFF = "staff", "Staff"
    ADMIN = "admin", "Admin"


class UserManager(BaseUserManager["User"]):
    """Creates people. Addresses are kept in lower case, so one person cannot sign up twice."""

    def create_user(
        self, email: str, password: str | None, *, display_name: str, role: Role = Role.STAFF
    ) -> "User":
        """Store a new person. Without a password, password sign-in is impossible for them."""
        user = self.model(email=email.strip().lower(), display_name=display_name, role=role)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None, *, display_name: str) -> "User":
        """Store a new admin; the name is what `manage.py createsuperuser` calls."""
        return self.create_user(email, password, display_name=display_name, role=Role.ADMIN)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who signs in. The e-mail address is the sign-in name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=100)
    role = models.CharField(max_length=10, choices=Role, default=Role.STAFF)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]

    objects = UserManager()

    class Meta:
        ordering = ["display_name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="identity_user_email_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="identity_user_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    def clean(self) -> None:
        """Keep the address in lower case, as signing in looks for it."""
        super().clean()
        self.email = self.email.strip().lower()

    @property
    def is_admin(self) -> bool:
        """Say whether this person runs the place."""
        return self.role == Role.ADMIN

    @property
    def is_staff(self) -> bool:
        """Say whether Django's admin site lets this person in. Not the role `staff`."""
        return self.is_admin

    def has_perm(self, _perm: str, _obj: object = None) -> bool:
        """Say whether the admin site lets this person act: roles, not single permissions."""
        return self.is_active and self.is_admin

    def has_module_perms(self, _app_label: str) -> bool:
        """Say whether the admin site shows this person an app."""
        return self.is_active and self.is_admin


class ApiToken(models.Model):
    """A personal token for programs. Only its SHA-256 is kept; the token itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=TOKEN_PREFIX_LENGTH)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Device(models.Model):
    """A panel at a door, with a token of its own: it is nobody, and knows its rooms only.

    `rooms` are uuids, for places are an app further on. Only the token's SHA-256 is kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    rooms = ArrayField(models.UUIDField())
    prefix = models.CharField(max_length=TOKEN_PREFIX_LENGTH)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
