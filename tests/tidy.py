#!/usr/bin/env python3
"""Style that a machine can judge: include direction, suffixes, words banned in cores, sizes, headers that compile alone.

Prints one line per finding and exits 1 when there is any. `--headers` also compiles every header by itself (slow).
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLUMNS = 100
FUNCTION_LINES = 70
FILE_LINES = 500

# A foreign library's headers occur only in files with its suffix.
SUFFIX_OF = [
    (r'zmq\.h', 'zmq'), (r'leveldb/', 'leveldb'), (r'boost/beast', 'beast'), (r'boost/asio', 'asio|beast'),
    (r'CLI/', 'cli11'), (r'msgpack', 'msgpack'), (r'sodium', 'sodium'), (r'spdlog/', 'spdlog'),
    (r'nlohmann/', 'json'), (r'curl/', 'curl'), (r'archive(_entry)?\.h$', 'archive'), (r'openssl/', 'beast|openssl'), (r're2/', 're2'),
    (r'(unistd|fcntl|poll|dirent|pwd|grp|signal|csignal|netdb)\.h|sys/|netinet/|arpa/|linux/|termios', 'posix|zmq|asio|beast|leveldb|runc'),
]
HEADER_EXCEPTIONS = {'base/log.h'}
CORE_FOLDERS = ('gossip/', 'placement/', 'allocrunner/', 'gctl/node/', 'crypto/', 'base/')
BANNED_IN_CORES = [(r'\bnow\(\)', 'reads a clock'), (r'std::j?thread\b', 'starts a thread'), (r'random_device', 'draws real chance'),
                   (r'\bsleep(_for|_until)?\(', 'sleeps'), (r'unordered_(map|set)<[^;]*>\s+\w+;\s*//\s*iterated', 'iterates in no order')]
SUFFIXES = 'posix|zmq|leveldb|beast|asio|cli11|msgpack|sodium|spdlog|json|openssl|inotify|runc|re2|curl|archive'

findings = []


def say(path, line, what):
    findings.append(f'{path}:{line}: {what}')


def layers():
    source = open(os.path.join(ROOT, 'SConstruct')).read()
    table = re.search(r'^LAYERS = \{.*?^\}', source, re.S | re.M).group(0)
    scope = {}
    exec(table, scope)
    return {folder: row[0] for folder, row in scope['LAYERS'].items()}


def folder_of(path, rows):
    best = ''
    for folder in rows:
        if path.startswith(folder + '/') and len(folder) > len(best):
            best = folder
    return best


def allowed(folder, target, rows):
    if target == folder:
        return True
    may = rows[folder]
    return any(target == one or target.startswith(one + '/') for one in may)


def suffix_of(path):
    stem = os.path.splitext(os.path.basename(path))[0]
    found = re.search(r'_(' + SUFFIXES + r')$', stem)
    return found.group(1) if found else ''


def check_includes(path, lines, rows):
    folder = folder_of(path, rows)
    for number, line in enumerate(lines, 1):
        match = re.match(r'#include\s+[<"]([^>"]+)[>"]', line)
        if not match:
            continue
        target = match.group(1)
        target_folder = folder_of(target, rows)
        if folder and target.startswith('tests/'):
            say(path, number, 'nothing includes tests')
        if folder and target_folder and not allowed(folder, target_folder, rows):
            say(path, number, f'{folder} may not include {target_folder} (LAYERS in SConstruct)')
        if path.startswith('tests/'):
            continue
        for pattern, wanted in SUFFIX_OF:
            if re.search(r'^(' + pattern + r')', target) and path not in HEADER_EXCEPTIONS:
                if not re.fullmatch(wanted, suffix_of(path) or '-'):
                    say(path, number, f'{target} belongs in a file with the suffix _{wanted.split("|")[0]}')


def check_core(path, lines):
    if not path.startswith(CORE_FOLDERS) or suffix_of(path):
        return
    for number, line in enumerate(lines, 1):
        code = line.split('//')[0]
        for pattern, what in BANNED_IN_CORES:
            if re.search(pattern, code) and 'deliberately no now' not in line:
                say(path, number, f'a core {what}: {code.strip()}')


def check_sizes(path, lines):
    if len(lines) > FILE_LINES:
        say(path, FILE_LINES, f'{len(lines)} lines; the limit is {FILE_LINES}')
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            say(path, number, f'{len(line)} columns; the limit is {COLUMNS}')
        if re.search(r'\b(TODO|FIXME|XXX)\b', line):
            say(path, number, 'an open end: ' + line.strip())
    start = None
    for number, line in enumerate(lines, 1):
        if re.match(r'[A-Za-z].*\)[^;]*\{$', line) and not line.startswith(('namespace', 'class', 'struct', 'TEST_CASE', 'extern')):
            start = number
        elif line.startswith('}') and start:
            if number - start + 1 > FUNCTION_LINES:
                say(path, start, f'a function of {number - start + 1} lines; the limit is {FUNCTION_LINES}')
            start = None


def check_headers(headers):
    for path in headers:
        run = subprocess.run(['g++', '-std=c++20', '-I' + ROOT, '-fsyntax-only', '-x', 'c++', os.path.join(ROOT, path)],
                             capture_output=True, text=True)
        if run.returncode:
            say(path, 1, 'does not compile alone: ' + run.stderr.splitlines()[0])


def check_dead(sources, headers):
    text = {path: open(os.path.join(ROOT, path)).read() for path in sources + headers}
    for header in headers:
        if not any(f'"{header}"' in body for path, body in text.items() if path != header):
            say(header, 1, 'nobody includes it')


def main():
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard', '*.cc', '*.h'], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [f for f in listed.stdout.split() if os.path.exists(os.path.join(ROOT, f))]
    rows = layers()
    for path in files:
        lines = open(os.path.join(ROOT, path), encoding='utf-8').read().split('\n')
        check_includes(path, lines, rows)
        check_core(path, lines)
        check_sizes(path, lines)
        if path.endswith('.h') and '#pragma once' not in lines:
            say(path, 1, 'a header without #pragma once')
    headers = [f for f in files if f.endswith('.h')]
    check_dead([f for f in files if f.endswith('.cc')], headers)
    if '--headers' in sys.argv:
        check_headers(headers)
    for finding in findings:
        print(finding)
    print(f'tidy: {len(files)} files, {len(findings)} findings')
    return 1 if findings else 0


sys.exit(main())
