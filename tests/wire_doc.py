#!/usr/bin/env python3
"""docs/wire.md lists every struct that travels or is stored, as the code has it: names, order, types.

The tables between `<!-- wire: FILE -->` and `<!-- end -->` follow from the wire_fields in FILE. Exits 1 and names
what differs, or what has no table; `UPDATE=1` writes the tables anew. The last column, the struct's doc comment, is
not compared.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, 'docs', 'wire.md')
FOLDERS = ('base', 'crypto', 'gossip', 'placement', 'allocrunner', 'gctl')
GENERIC = {'base/time.h', 'base/wire.h', 'crypto/signed.h'}  # told in words: they are the encoding itself
SHORT = {
    'std::uint8_t': 'u8', 'std::uint16_t': 'u16', 'std::uint32_t': 'u32', 'std::uint64_t': 'u64',
    'std::int64_t': 'i64', 'std::int32_t': 'i32', 'int': 'i32', 'std::string': 'str', 'Bytes': 'bin',
    'Duration': 'µs', 'double': 'real', 'std::monostate': 'nil', 'Meta': '{str: str}',
}
BLOCK = re.compile(r'(<!-- wire: (\S+) -->\n)(.*?)(<!-- end -->)', re.S)


def split_top(text):
    """At the commas that no bracket encloses."""
    parts, depth, last = [], 0, 0
    for at, letter in enumerate(text):
        depth += letter in '<({'
        depth -= letter in '>)}'
        if letter == ',' and depth == 0:
            parts.append(text[last:at].strip())
            last = at + 1
    return [part for part in parts + [text[last:].strip()] if part]


def short(kind):
    """A C++ type as the page writes it."""
    kind = re.sub(r'\s+', ' ', kind).strip()
    inner = re.fullmatch(r'std::(\w+)<(.*)>', kind)
    if inner:
        name, of = inner.group(1), [short(one) for one in split_top(inner.group(2))]
        if name == 'optional':
            return of[0] + '?'
        if name in ('vector', 'set'):
            return f'[{of[0]}]'
        if name == 'map':
            return f'{{{of[0]}: {of[1]}}}'
        if name == 'pair':
            return f'({of[0]}, {of[1]})'
        if name == 'variant':
            return 'one of ' + ' / '.join(of)
        if name == 'array':
            return 'bin'
    return SHORT.get(kind, re.sub(r'\b[a-z_]+::', '', kind))


def declared(body, name):
    """The type of member `name` of a struct whose text is `body`."""
    for statement in re.split(r'[;{}]', re.sub(r'=[^;,]*', '', re.sub(r'\{[^{};]*\}', '', body))):
        found = re.fullmatch(r'\s*([\w:]+(?:\s*<.*>)?)\s+([\w\s,]+)', statement, re.S)
        if found and name in [one.strip() for one in found.group(2).split(',')]:
            return found.group(1)
    return '?'


def uncommented(text):
    return re.sub(r'//[^\n]*', lambda found: ' ' * len(found.group(0)), text)


def closing(text, at):
    depth = 0
    for place in range(at, len(text)):
        depth += text[place] == '{'
        depth -= text[place] == '}'
        if depth == 0:
            return place
    return len(text)


def first_sentence(text, at):
    """Of the `///` comment that ends where the struct at `at` begins."""
    lines = []
    for line in reversed(text[:at].rstrip().split('\n')):
        if not line.strip().startswith('///'):
            break
        lines.insert(0, line.strip().lstrip('/').strip())
    said = re.split(r'(?<=[.?])\s', ' '.join(lines) + ' ')[0].strip()
    return said.replace('|', '/')


def structs(text):
    """(name, [(field, type)], comment) in order of their place."""
    plain, out = uncommented(text), []
    heads = [(found.start(), found.group(1), found.end() - 1)
             for found in re.finditer(r'\b(?:struct|class)\s+(\w+)(?:\s*:[^{;]*)?\s*\{', plain)]
    for found in re.finditer(r'wire_fields\(Self\s*&\s*\w*\)\s*\{\s*return\s+std::(tie\((.*?)\)|tuple<>)', plain, re.S):
        around = [head for head in heads if head[0] < found.start() < closing(plain, head[2])]
        begin, name, brace = around[-1]
        body = plain[brace + 1:closing(plain, brace)]
        fields = [one.split('.', 1)[1] for one in split_top(found.group(2) or '')]
        out.append((name, [(one, short(declared(body, one))) for one in fields], first_sentence(text, begin)))
    return out


def enums(text):
    plain, out = uncommented(text), []
    for name in re.findall(r'wire_last\((\w+)\)', plain):
        found = re.search(r'enum class ' + name + r'\b[^{;]*\{(.*?)\}', plain, re.S)
        if found:
            out.append((name, [one.split('=')[0].strip() for one in split_top(found.group(1))]))
    return out


def places(text, names):
    """Struct -> its number in the variant that it is an alternative of."""
    out = {}
    for found in re.finditer(r'std::variant<([^;]*?)>\s*\w*\s*;', uncommented(text), re.S):
        alternatives = split_top(found.group(1))
        if len(alternatives) > 2 and all(one in names for one in alternatives):
            out.update({name: number for number, name in enumerate(alternatives)})
    return out


def table(path, all_names):
    text = open(os.path.join(ROOT, path), encoding='utf-8').read()
    numbers = places(text, all_names)
    rows = ['| # | name | fields | what it is |', '|---|---|---|---|']
    found = structs(text)
    found.sort(key=lambda row: numbers.get(row[0], -1))
    for name, fields, said in found:
        shown = ', '.join(f'`{field}` {kind}' for field, kind in fields) or 'none'
        rows.append(f'| {numbers.get(name, "")} | `{name}` | {shown} | {said} |')
    for name, values in enums(text):
        rows.append(f'| enum | `{name}` | {", ".join(f"{at} `{value}`" for at, value in enumerate(values))} | |')
    return '\n'.join(rows) + '\n'


def facts(rows):
    return [[cell.strip() for cell in row.split('|')[1:4]] for row in rows.strip().split('\n')]


def sources():
    for folder in FOLDERS:
        for place, _, files in sorted(os.walk(os.path.join(ROOT, folder))):
            for name in sorted(files):
                path = os.path.relpath(os.path.join(place, name), ROOT)
                if name.endswith(('.h', '.cc')) and path not in GENERIC:
                    text = open(os.path.join(ROOT, path), encoding='utf-8').read()
                    if 'wire_fields(Self' in text or re.search(r'wire_last\(\w+\)', text):
                        yield path, {name for name, _, _ in structs(text)}


def main():
    page = open(PAGE, encoding='utf-8').read()
    written = {path: rows for _, path, rows, _ in BLOCK.findall(page)}
    wire = dict(sources())
    names = set().union(*wire.values())
    findings = [f'docs/wire.md: no table for {path} ({", ".join(sorted(wire[path])) or "enums"})'
                for path in wire if path not in written]
    findings += [f'docs/wire.md: a table for {path}, which has no wire format' for path in written if path not in wire]
    if os.environ.get('UPDATE'):
        page = BLOCK.sub(lambda found: found.group(1) + table(found.group(2), names) + found.group(4)
                         if found.group(2) in wire else found.group(0), page)
        open(PAGE, 'w', encoding='utf-8').write(page)
    else:
        for path, rows in written.items():
            if path not in wire:
                continue
            there, wanted = facts(rows), facts(table(path, names))
            findings += [f'docs/wire.md: {path}: says {row}, the code does not' for row in there if row not in wanted]
            findings += [f'docs/wire.md: {path}: lacks {row}' for row in wanted if row not in there]
            if sorted(there) == sorted(wanted) and there != wanted:
                findings.append(f'docs/wire.md: {path}: its rows are in another order than in the code')
    for finding in findings:
        print(finding)
    if findings:
        print('UPDATE=1 tests/wire_doc.py writes the tables anew; a new file needs its two marks first.')
    print(f'wire_doc: {len(names)} formats in {len(wire)} files, {len(findings)} findings')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
