"""The people of the demo. Their password is public, so the demo refuses to run in production."""

from dataclasses import dataclass

DEMO_PASSWORD = "demo-only-password"  # noqa: S105 - printed at every start of the demo


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A person of the demo."""

    email: str
    display_name: str
    role: str


DEMO_ACCOUNTS = (
    DemoAccount("admin@demo.example", "Ada Admin", "admin"),
    DemoAccount("staff@demo.example", "Sam Staff", "staff"),
)
DEMO_COLLEAGUES = (
    DemoAccount("aino@demo.example", "Aino Laine", "staff"),
    DemoAccount("ben@demo.example", "Ben Okafor", "staff"),
    DemoAccount("carla@demo.example", "Carla Nunes", "staff"),
    DemoAccount("dev@demo.example", "Dev Patel", "staff"),
    DemoAccount("elif@demo.example", "Elif Kaya", "staff"),
    DemoAccount("femi@demo.example", "Femi Ade", "staff"),
    DemoAccount("grace@demo.example", "Grace Lin", "staff"),
    DemoAccount("hugo@demo.example", "Hugo Berg", "staff"),
)
