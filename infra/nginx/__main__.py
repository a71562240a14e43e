"""`python -m infra.nginx`: test `nginx.conf` with the real nginx and two web processes.

Exit codes: 0: all tests passed. 1: a test failed, or nginx is not installed.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable
from pathlib import Path

import django

from infra.bench.children import raise_file_limit
from infra.bench.goals import BenchError
from infra.bench.plan import quick_plan
from infra.bench.stage import open_stage
from infra.nginx import headers
from infra.nginx.rendered import NginxError, find_nginx

LIMIT_S = 150.0


def main() -> int:
    """Run both tests, print their results, and return the exit code."""
    raise_file_limit()
    try:
        find_nginx()
        with tempfile.TemporaryDirectory(prefix="nginx-check-") as folder:
            asyncio.run(_within(headers.prove(Path(folder))))
        with open_stage(quick_plan(), _say) as stage:
            os.environ.update(stage.environment)
            django.setup()
            from infra.nginx import product  # models can be loaded only now

            asyncio.run(_within(product.prove(stage)))
    except (NginxError, BenchError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    _say("All tests of nginx.conf passed.")
    return 0


async def _within(proof: Awaitable[None]) -> None:
    async with asyncio.timeout(LIMIT_S):
        await proof


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
