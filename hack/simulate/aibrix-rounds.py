"""Rounds of AIBrix's optimizer on a clock and a Redis of our own.

stdin: cases, each with profiles (AIBrix documents) and records (time of an interval's end -> record).
stdout: of each case its rounds, two seconds after each interval: rate, clusters and hundredths of replicas.
"""

import json
import sys

from aibrix.gpu_optimizer.load_monitor import clusterer, load_reader, monitor
from aibrix.gpu_optimizer.optimizer import GPUProfile


class Clock:
    """Stands for `datetime` in its modules."""

    seconds = 0.0

    @classmethod
    def now(cls):
        return cls

    @classmethod
    def timestamp(cls):
        return cls.seconds


for module in (clusterer, load_reader, monitor):
    module.datetime = Clock


class Redis:
    def __init__(self, records):
        self.records = records

    def key(self, time):
        return f"aibrix:m_request_trace_{time}"

    def seen(self):
        return {self.key(time): record for time, record in self.records.items() if int(time) <= Clock.seconds}

    def scan(self, cursor, match):
        return 0, [key.encode() for key in self.seen()]

    def get(self, key):
        record = self.seen().get(key if isinstance(key, str) else key.decode())
        return None if record is None else record.encode()


class Profiles:
    def __init__(self, documents):
        self.documents = documents

    def read(self):
        return [GPUProfile(**document) for document in self.documents]


def rounds(case):
    Clock.seconds = case["from"] + 2.0
    model = monitor.ModelMonitor(
        "m", "1", load_reader.GatewayLoadReader(Redis(case["records"]), "m"), profile_reader=Profiles(case["profiles"])
    )
    for document in case["profiles"]:
        name = document["gpu"]
        states = monitor.DeploymentStates(name, replicas=case["initial"].get(name, 0))
        model.add_deployment("1", name, None, states)
    rates = []
    optimize = model._optimize
    model._optimize = lambda centers, rate: (rates.append(rate), optimize(centers, rate))
    steps = model._run_yieldable(True)
    for time in range(case["from"], case["until"] + 1, 10):
        Clock.seconds = time + 2.0
        rates.clear()
        next(steps)
        yield {
            "rate": rates[0] if rates else None,
            "clusters": sorted([center.size, *(float(at) for at in center.center)] for center in model.centers),
            "replicas": {name: states.replicas for name, states in model.deployments.items()},
        }


print(json.dumps([list(rounds(case)) for case in json.load(sys.stdin)]))
