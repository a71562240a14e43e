"""Rules that a review may miss: directions of relations, sizes of files, undocumented settings."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
ORDER = ["identity", "rooms", "booking"]  # a relation may point to its own app and to the left
CODE = {".py", ".js", ".css", ".html"}
MAX_LINES = 300


def own_files() -> list[Path]:
    folders = ["meeting_rooms", "identity", "rooms", "booking", "realtime", "frontend", "infra"]
    found = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return [p for p in found if p.suffix in CODE and not {"vendor", "migrations"} & set(p.parts)]


def test_relations__of_every_model__point_to_the_left():
    for model in apps.get_models():
        if (app := model._meta.app_label) not in ORDER:
            continue
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if target is None or field.auto_created or target._meta.app_label not in ORDER:
                continue
            assert ORDER.index(target._meta.app_label) <= ORDER.index(app), f"{model}.{field.name}"


def test_files__of_this_project__are_short():
    long = {p.name: n for p in own_files() if (n := len(p.read_text().splitlines())) > MAX_LINES}
    assert long == {}


@pytest.mark.django_db
def test_migrations__against_the_models__are_complete():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_env_example__against_the_settings__lists_every_variable():
    settings = (ROOT / "meeting_rooms" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    listed = set(re.findall(r"^#?\s?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert listed == read
