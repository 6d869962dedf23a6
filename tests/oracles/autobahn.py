"""Runs the Autobahn suite against a server: ADDRESS [EXCLUDED CASES...].

Prints a JSON array a line: [case, how the server behaved, how it closed].
"""

import asyncio
import json
import os
import sys

from kosoku import FailureError, run_fuzzingclient

# Some cases wait for a second between bytes; others run meanwhile.
AT_A_TIME = 8


async def results(address, excluded):
    try:
        return await run_fuzzingclient(address, None, excluded, concurrency=AT_A_TIME)
    except FailureError as failure:
        return failure.results


for case in asyncio.run(results(sys.argv[1], sys.argv[2:] or None)):
    print(json.dumps([case.case_id, case.behavior.value, case.behavior_close.value]))
sys.stdout.flush()
# kosoku 0.1.0 has threads that may abort the process while the interpreter ends.
os._exit(0)
