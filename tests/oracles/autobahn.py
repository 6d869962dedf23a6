"""Runs the Autobahn suite against a server: ADDRESS [EXCLUDED CASES...].

Prints a line for each case: its number, how the server behaved, how it closed.
"""

import asyncio
import json
import sys

from kosoku import FailureError, run_fuzzingclient

# Some cases wait for a second between bytes; others wait meanwhile.
AT_A_TIME = 8


async def results(address, excluded):
    try:
        return await run_fuzzingclient(address, None, excluded or None, concurrency=AT_A_TIME)
    except FailureError as failure:
        return failure.results


for case in asyncio.run(results(sys.argv[1], sys.argv[2:])):
    print(json.dumps([case.case_id, case.behavior.value, case.behavior_close.value]))
