"""When each phase of a failover was first seen: what the quickstart tells and the benchmark measures."""
import subprocess
import threading
import time

from waiting import Failed


class Watch(threading.Thread):
    """Notes when a survivor first sees the loss of a peer, by asking it over and over."""

    def __init__(self, survivor, lost_name):
        super().__init__(daemon=True)
        self.survivor, self.lost_name = survivor, lost_name
        self.seen = {}
        self.done = False

    def run(self):
        while not self.done:
            try:
                self.look()
            except (Failed, KeyError, subprocess.TimeoutExpired):
                pass  # asked again at once
            time.sleep(0.03)

    def look(self):
        if 'suspected' not in self.seen:
            if self.survivor.member(self.lost_name)['Status'] != 'alive':
                self.seen['suspected'] = time.time()
        elif 'declared lost' not in self.seen:
            node = next(n for n in self.survivor.ask('node', 'status') if n['Name'] == self.lost_name)
            if node['Status'] == 'down':
                self.seen['declared lost'] = time.time()

    def close(self):
        self.done = True
        self.join()


def phases(watch, alloc, task):
    """(name, wall time) of each phase up to the start of the replacement, in order; times of the allocation are those
    of its own events. A phase that nobody saw is left out."""
    events = {e['Type']: e['Time'] / 1e9 for e in alloc['TaskStates'][task]['Events']}
    times = {**watch.seen, 'placed anew': alloc['CreateTime'] / 1e9, 'restored': events['Task Setup'],
             'started': events['Started']}
    order = ('suspected', 'declared lost', 'placed anew', 'restored', 'started')
    return [(name, times[name]) for name in order if name in times]
