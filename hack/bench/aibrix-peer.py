"""One instance from stdin through AIBrix's own solver, as its optimizer calls it: rates times 100, answers in hundredths.

Prints milliseconds and, per GPU type, hundredths of a replica.
"""

import json
import sys
import time

from aibrix.gpu_optimizer.optimizer.solver.melange.solver import MelangeSolver

FRACTION = 100
SLICES = 4  # the default of its runner

instance = json.load(sys.stdin)
gpus = {
    str(g): {"tputs": [column], "cost": price}
    for g, (column, price) in enumerate(zip(instance["throughput"], instance["prices"]))
}
rates = instance["rates"]
total = sum(rates)
start = time.perf_counter()
solver = MelangeSolver([[rate / total for rate in rates]], total * FRACTION, gpus, SLICES)
answer = solver.run()
milliseconds = 1000 * (time.perf_counter() - start)
print(json.dumps({"milliseconds": milliseconds, "hundredths": None if answer is None else [answer[g] for g in gpus]}))
