"""The memory of the process is bounded for responses of any size."""

import json
import subprocess
import sys

import pytest

from goody.limits import MIB
from goody.tests.samples import KEY, page_of
from testing.faulty_server import (
    FaultyServer,
    answer,
    endless_chunks,
    gzip_bomb,
    huge_body,
    interim,
    many_headers,
)

# The increase of the peak after a first response is the memory for the bad one. ru_maxrss would
# begin with the peak of the parent process.
SCRIPT = """
import json, re, sys
from pathlib import Path
from goody.client import Client, ClientLimits, RetryPolicy
from goody.errors import GoodyError

def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024

url, key = sys.argv[1:]
client = Client(base_url=url, api_key=key, limits=ClientLimits())
client.list_orders()
before = peak()
try:
    client.list_orders(policy=RetryPolicy(3.0, 1))
except GoodyError as error:
    print(json.dumps([error.kind, peak() - before]))
"""


TOO_LARGE = {"too_large"}
CASES = {
    "announced": (huge_body(100 * MIB), TOO_LARGE),
    "unannounced": (huge_body(100 * MIB, announce=False), TOO_LARGE),
    "gzip": (gzip_bomb(100 * MIB), TOO_LARGE),
    "chunks": (endless_chunks(), TOO_LARGE),
    # With this number, the speed of the machine decides which limit is reached first.
    "tiny chunks": (endless_chunks(b"xy"), {"too_large", "deadline"}),
    "headers": (many_headers(90, length=60_000), TOO_LARGE),
    "after 103": (interim(103, huge_body(100 * MIB)), {"status"}),
    "an error's body": (huge_body(100 * MIB, status=503), {"server_error"}),
    "a redirect's gzip": (gzip_bomb(100 * MIB, status=302, location="/v1/me"), {"redirect"}),
    "an error's gzip": (gzip_bomb(100 * MIB, status=503), {"server_error"}),
}


@pytest.mark.parametrize("case", CASES)
def test_memory_grows_by_at_most_16_mib(case):
    behavior, kinds = CASES[case]
    with FaultyServer(answer(200, page_of()), behavior) as server:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, server.url, KEY],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    kind, growth = json.loads(done.stdout)
    assert kind in kinds
    assert growth <= 16 * MIB
