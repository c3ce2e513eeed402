#!/usr/bin/env python3
"""What the pages say must exist: files, folders, constants, headings, and a row for each thread that bears a name.

Prints one line per finding and exits 1 when there is any. The tables of docs/wire.md are tests/wire_doc.py's matter.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ('base', 'crypto', 'gossip', 'placement', 'allocrunner', 'gctl', 'tests', 'examples', 'docs')
MADE = ('build/', '.cache')  # by the build, not by us


def pages():
    found = ['README.md', 'ARCHITECTURE.md']
    for place, _, files in os.walk(os.path.join(ROOT, 'docs')):
        found += [os.path.relpath(os.path.join(place, name), ROOT) for name in sorted(files) if name.endswith('.md')]
    return [page for page in found if os.path.exists(os.path.join(ROOT, page)) and page != 'docs/plan.md']


def read(path):
    return open(os.path.join(ROOT, path), encoding='utf-8').read()


def code():
    """All of the program's own sources in one text."""
    out = []
    for folder in FOLDERS[:6]:
        for place, _, files in os.walk(os.path.join(ROOT, folder)):
            out += [read(os.path.relpath(os.path.join(place, name), ROOT)) for name in files
                    if name.endswith(('.h', '.cc'))]
    return '\n'.join(out)


def anchors(text):
    """The headings as links name them."""
    heads = re.findall(r'^#+ (.*)$', text, re.M)
    return {re.sub(r'[^\w\- ]', '', head.lower()).replace(' ', '-') for head in heads}


def check_page(page, source, findings):
    text = read(page)
    here = os.path.dirname(page)
    prose = re.sub(r'^```.*?^```', '', text, flags=re.S | re.M)
    for word in set(re.findall(r'`([\w./-]+)`', prose)):
        if re.fullmatch(r'k[A-Z]\w+', word) and not re.search(r'\b' + word + r'\b', source):
            findings.append(f'{page}: no constant is named {word}')
        if word.split('/')[0] in FOLDERS and '/' in word and not word.startswith(MADE):
            if not os.path.exists(os.path.join(ROOT, word)):
                findings.append(f'{page}: there is no {word}')
    for target in set(re.findall(r'\]\(([^)\s]+)\)', prose)):
        path, _, anchor = target.partition('#')
        if re.match(r'\w+:', target):
            continue
        file = os.path.normpath(os.path.join(here, path)) if path else page
        if not os.path.exists(os.path.join(ROOT, file)):
            findings.append(f'{page}: links to {target}, which is not there')
        elif anchor and anchor not in anchors(read(file)):
            findings.append(f'{page}: links to #{anchor}, which {file} has not')


def check_threads(source, findings):
    table = read('ARCHITECTURE.md')
    for name in sorted(set(re.findall(r'pthread_setname_np\([^"]*"(\w+)"', source))):
        if not re.search(r'^\| `' + name + '`', table, re.M):
            findings.append(f'ARCHITECTURE.md: thread "{name}" has no row in the table of threads')


def main():
    findings = []
    source = code()
    for page in pages():
        check_page(page, source, findings)
    check_threads(source, findings)
    for finding in findings:
        print(finding)
    print(f'docs: {len(pages())} pages, {len(findings)} findings')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
