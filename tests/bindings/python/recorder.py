"""A phone that records until it is killed: prints `acked N` after each fix.

Arguments: the phone's folder, its key in hex.
"""

import pathlib
import sys

from support import Phone, now_ms, trace

phone = Phone(pathlib.Path(sys.argv[1]), bytes.fromhex(sys.argv[2]))
engine = phone.open()
for fix in trace(700, 900, ends_ms=now_ms() - 300_000):
    recorded = engine.record([fix])
    print("acked", recorded.acked, flush=True)
# All fixes are there; the patrol stays open until somebody kills this.
sys.stdin.read()
