"""People, their API tokens, and devices. Fields and constraints only."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from identity.domain.tokens import TOKEN_PREFIX_LENGTH


class Role(models.TextChoices):
    """The role of a person: staff may book; admins may also manage places, people and policies."""

    STAFF = "staff", "Staff"
    ADMIN = "admin", "Admin"


class UserManager(BaseUserManager["User"]):
    """Creates people. Stores addresses in lower case, so an address cannot exist twice."""

    def create_user(
        self, email: str, password: str | None, *, display_name: str, role: Role = Role.STAFF
    ) -> "User":
        """Store a new person. A person without a password cannot sign in with one."""
        user = self.model(email=email.strip().lower(), display_name=display_name, role=role)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None, *, display_name: str) -> "User":
        """Store a new admin. `manage.py createsuperuser` calls this method by its name."""
        return self.create_user(email, password, display_name=display_name, role=Role.ADMIN)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person with this address, in upper or lower case. Raises User.DoesNotExist."""
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
        """Change the address to lower case, because the sign-in searches in lower case."""
        super().clean()
        self.email = self.email.strip().lower()

    @property
    def is_admin(self) -> bool:
        """Return whether the person is an admin."""
        return self.role == Role.ADMIN

    @property
    def is_staff(self) -> bool:
        """Return whether the person may open Django's admin site. Unrelated to the role `staff`."""
        return self.is_admin

    def has_perm(self, _perm: str, _obj: object = None) -> bool:
        """Return whether the person may act on the admin site: active admins may do everything."""
        return self.is_active and self.is_admin

    def has_module_perms(self, _app_label: str) -> bool:
        """Return whether the admin site shows the apps to the person."""
        return self.is_active and self.is_admin


class ApiToken(models.Model):
    """A personal token for programs. Only its SHA-256 is stored; the token itself is shown once."""

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
    """A panel at a door with a token of its own. A device is not a person and knows only its rooms.

    `rooms` are uuids instead of foreign keys, because this app does not import the app `rooms`.
    Only the token's SHA-256 is stored.
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
