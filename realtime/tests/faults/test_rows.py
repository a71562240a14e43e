"""Every row of the fault matrix works: each is run once here, in its short form."""

from collections.abc import Iterator

import pytest

from realtime.tests.faults.matrix import Row, all_rows
from realtime.tests.faults.short import ShortForm

pytestmark = pytest.mark.timeout(300)  # the first test waits for most of the other rows


@pytest.fixture(scope="module")
def short_form(request, tmp_path_factory) -> Iterator[ShortForm]:
    """Run the rows that this test run has selected."""
    here = [item for item in request.session.items if item.path == request.path]
    rows = [item.callspec.params["row"] for item in here if "row" in item.fixturenames]
    folder = tmp_path_factory.mktemp("faults")
    for one in (folder, folder.parent, folder.parent.parent):
        one.chmod(0o755)  # Postgres does not run as root, and must be able to read the folder
    form = ShortForm(rows, folder)
    yield form
    form.stop()


@pytest.mark.parametrize("row", all_rows(), ids=lambda row: row.id)
def test_row__in_its_short_form__is_kept(row: Row, short_form: ShortForm):
    said = short_form.outcome(row)
    assert said.is_kept, f"{said.text}\n{short_form.ends_of_logs(row)}"
