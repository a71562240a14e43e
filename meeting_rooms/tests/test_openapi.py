"""The OpenAPI document: valid, complete, usable to generate a client, and correct.

Schemathesis sends allowed and forbidden requests to the real application on real stores: nothing
may break, and every answer must be documented.
`--hypothesis-profile=thorough` sends more.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of, sampled_from
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from identity.models import Role
from meeting_rooms.api import api
from meeting_rooms.tests.api_world import World

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
IS_THOROUGH = settings().max_examples > 100
EXAMPLES = 200 if IS_THOROUGH else 10  # for each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]


def test_document__is_valid():
    validate(DOCUMENT)


def test_document__read_twice__is_built_once(client):
    assert api.get_openapi_schema() is api.get_openapi_schema()
    answers = [client.get("/api/v1/openapi.json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == DOCUMENT


def test_document__operation_ids__are_unique_names():
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert all(name.isidentifier() for name in ids)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "path,method,operation", OPERATIONS, ids=[o["operationId"] for *_, o in OPERATIONS]
)
def test_document__each_operation__lists_all_its_answers(path, method, operation):
    assert operation["summary"]
    documented = operation["responses"]
    assert {"401", "403", "503"} <= documented.keys()
    assert ("requestBody" not in operation) or {"400", "413", "422"} <= documented.keys()
    for status, answer in documented.items():
        assert answer["description"]
        if status >= "400":
            problem = answer["content"]["application/problem+json"]
            for code, example in problem["examples"].items():
                assert (example["value"]["code"], example["value"]["status"]) == (code, int(status))


def test_document__bodies__refuse_unknown_members():
    for path, _, operation in OPERATIONS:
        if "requestBody" not in operation:
            continue
        content = operation["requestBody"]["content"]
        schema = content.get("application/json", {}).get("schema", {})
        assert schema or path.startswith("/api/v1/imports/")  # the body is a file
        assert schema.get("additionalProperties") in (None, False), path
        refs = [schema.get("$ref"), *(one.get("$ref") for one in schema.get("anyOf", []))]
        for ref in filter(None, refs):
            body = DOCUMENT["components"]["schemas"][ref.rsplit("/", 1)[-1]]
            assert body["additionalProperties"] is False, (path, ref)


def test_docs__list_every_operation():
    documented = (ROOT / "docs" / "api.md").read_text()
    for path, method, operation in OPERATIONS:
        address = f"{method.upper()} {path.removeprefix('/api/v1')}"
        assert f"| `{address}` | `{operation['operationId']}` |" in documented


def test_document__generates_a_client_that_imports(tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "config.yaml").write_text(
        "post_hooks: []\npackage_name_override: rooms_client\n"
        "content_type_overrides:\n"
        "  text/calendar: application/octet-stream\n"
        "  text/csv: application/octet-stream\n"
    )
    generated = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json",
         "--output-path", "rooms_client", "--meta", "none", "--config", "config.yaml",
         "--fail-on-warning"],
        cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert generated.returncode == 0, generated.stdout + generated.stderr
    operations = {path.stem for path in (tmp_path / "rooms_client" / "api").rglob("*.py")}
    assert {operation["operationId"] for *_, operation in OPERATIONS} <= operations
    program = (
        "import importlib, pkgutil, rooms_client\n"
        "for module in pkgutil.walk_packages(rooms_client.__path__, 'rooms_client.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, timeout=50, check=True)


DESCRIBED = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
CALLABLE = [result.ok() for result in DESCRIBED.get_all_operations()]


@pytest.mark.parametrize(
    "operation", CALLABLE, ids=[one.definition.raw["operationId"] for one in CALLABLE]
)
@pytest.mark.hypothesis
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600 if IS_THOROUGH else 60)
def test_application__any_request__is_answered_as_documented(operation, world):
    # A query contains only text and may repeat a parameter: only a body is clearly wrong.
    checks = [*CHECKS, negative_data_rejection] if operation.body else CHECKS
    cases = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=one_of(*cases), role=sampled_from(list(Role)))
    def send(case, role):
        world.insert_known_ids(case)
        case.call_and_validate(headers=world.headers(role), checks=checks)

    send()


@pytest.fixture
def world(transactional_db):
    return World()
