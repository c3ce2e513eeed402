#!/usr/bin/env python3
"""Runs the end-to-end tests: real agents, real processes, through the command line.

    tests/e2e/run.py                       all of them
    tests/e2e/run.py kill_9 test_http      those whose file or function name contains one of the words
    tests/e2e/run.py --list

Each test is a function `test_*` of a file `test_*.py`; its docstring is what it shows. A file runs in a process
of its own, `--jobs` files at a time (they mostly wait); the tests of a file run in order and may share a cluster.
The last line is `N passed, N failed` (and how many were skipped, with each reason above).
"""
import argparse
import importlib
import inspect
import os
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
FILE_SECONDS_MAX = 600


def test_files():
    return sorted(f[:-3] for f in os.listdir(HERE) if f.startswith('test_') and f.endswith('.py'))


def tests_of(file):
    """Names in the order of the file, without importing it."""
    with open(os.path.join(HERE, file + '.py')) as source:
        return [line[4:line.index('(')] for line in source if line.startswith('def test_')]


def chosen(file, words):
    return [t for t in tests_of(file) if not words or any(w in t or w in file for w in words)]


def worker(file, tests):
    """Runs some tests of one file in this process, one printed line each; 0 when none failed."""
    import processes
    from harness import Skip
    processes.adopt_orphans()
    module = importlib.import_module(file)
    failed = 0
    try:
        for name in tests:
            began = time.monotonic()
            test = getattr(module, name)
            shows = ' '.join((inspect.getdoc(test) or name).split('\n\n')[0].split())
            outcome, detail = 'ok', ''
            try:
                test()
            except Skip as skip:
                outcome, detail = 'skipped', f'\n    {skip}'
            except Exception as problem:  # whatever it is, the next test still runs
                outcome, detail = 'FAILED', '\n' + explain(problem)
                failed += 1
            print(f'{outcome:8}{time.monotonic() - began:6.1f} s  {file[5:]}: {shows} [{name}]{detail}', flush=True)
    finally:
        close = getattr(module, 'close', None)
        if close:
            close()
        processes.kill_all(processes.descendants)
    return 1 if failed else 0


def explain(problem):
    places = [f'{os.path.basename(f.filename)}:{f.lineno}' for f in traceback.extract_tb(problem.__traceback__)]
    text = f'{type(problem).__name__}: {problem}\n(at {" > ".join(places[1:])})'
    return '\n'.join('    ' + line for line in text.splitlines())


def run_files(plan, jobs):
    """Starts one worker per file, `jobs` at a time; prints a file's lines when it is done."""
    waiting, running, output = list(plan), [], []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                file, tests = waiting.pop(0)
                child = subprocess.Popen([sys.executable, __file__, '--worker', file, *tests], stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True)
                running.append((child, file, tests, time.monotonic()))
            child, file, tests, began = running.pop(0)
            try:
                text, _ = child.communicate(timeout=0.2)
            except subprocess.TimeoutExpired:
                if time.monotonic() - began > FILE_SECONDS_MAX:
                    child.terminate()
                running.append((child, file, tests, began))
                continue
            print(text, end='', flush=True)
            output += text.splitlines()
            done = sum(line.startswith(('ok ', 'FAILED ', 'skipped ')) for line in text.splitlines())
            for name in tests[done:]:
                output.append('FAILED ')
                print(f'FAILED  {file[5:]}: {name} did not run to its end (worker: {child.returncode})')
    except KeyboardInterrupt:
        for child, *_ in running:
            child.wait()  # it had the same Ctrl-C and clears away what it started
        raise
    return output


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('words', nargs='*')
    parser.add_argument('--jobs', type=int, default=3)
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--worker', metavar='FILE')
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker, options.words)
    plan = [(file, tests) for file in test_files() if (tests := chosen(file, options.words))]
    if options.list:
        for file, tests in plan:
            print(file, *tests, sep='\n    ')
        return 0
    from harness import GCTL
    if not os.access(GCTL, os.X_OK):
        sys.exit(f'tests/e2e: {GCTL} is missing: run `scons` first')
    began = time.monotonic()
    output = run_files(plan, options.jobs)
    count = {word: sum(line.startswith(word + ' ') for line in output) for word in ('ok', 'FAILED', 'skipped')}
    skipped = f', {count["skipped"]} skipped' if count['skipped'] else ''
    print(f'{count["ok"]} passed, {count["FAILED"]} failed{skipped} ({time.monotonic() - began:.0f} s)')
    return 1 if count['FAILED'] or not count['ok'] else 0


if __name__ == '__main__':
    sys.path.insert(0, HERE)
    import signal
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
