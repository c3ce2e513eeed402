"""The lock of the HTTP API, from the outside: with a real agent and bare HTTP.

The lock's table is tests/gctl/agent/http_test.cc; here it is seen that an agent really uses it.
"""
import http.client
import os

from harness import HTTP_PORT, DevPeer, check, lazily, published_token, wait_until

dev = lazily(DevPeer)


def close():
    dev.close()


def request(method, path, headers=None, body=None, skip_host=False):
    connection = http.client.HTTPConnection(dev().address, HTTP_PORT, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=skip_host)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        if body:
            connection.send(body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors='replace'), answer.headers
    finally:
        connection.close()


def token():
    return published_token(dev().address)


def test_no_token_no_answer():
    """Without the token, or with a wrong one, the API answers 403 and nothing else."""
    for headers in ({}, {'X-Nomad-Token': 'guess'}, {'Authorization': 'Bearer guess'}):
        for method, path in (('GET', '/v1/jobs'), ('GET', '/v1/agent/self'), ('PUT', '/v1/jobs')):
            status, text, _ = request(method, path, headers)
            check(status == 403, f'{method} {path} with {headers} gave {status}: {text}')
            check('dc1' not in text, f'a refusal tells nothing: {text}')
    status, text, headers = request('GET', '/v1/jobs', {'X-Nomad-Token': token()})
    check(status == 200 and int(headers['X-Nomad-Index']) >= 1, f'with the token: {status} {text}')


def test_the_token_is_only_ours():
    """The published token is a file that nobody else may read."""
    path = published_token(dev().address, path_only=True)
    check(os.stat(path).st_mode & 0o077 == 0, f'{path} is open to others')
    check(os.stat(os.path.dirname(path)).st_mode & 0o022 == 0, 'its directory can be written by others')


def test_foreign_host_and_origin():
    """A foreign Host or Origin is refused even with the token: no web page speaks to an agent."""
    bad = [({'Host': 'evil.example'}, True), ({'Host': f'evil.example:{HTTP_PORT}'}, True),
           ({'Origin': 'http://evil.example'}, False)]
    for headers, skip_host in bad:
        status, text, _ = request('GET', '/v1/jobs', {**headers, 'X-Nomad-Token': token()}, skip_host=skip_host)
        check(status == 403, f'{headers} gave {status}: {text}')


def test_body_of_100_mib():
    """A body of 100 MiB is refused before it is read, and the agent goes on as before."""
    connection = http.client.HTTPConnection(dev().address, HTTP_PORT, timeout=20)
    connection.putrequest('PUT', '/v1/jobs')
    connection.putheader('X-Nomad-Token', token())
    connection.putheader('Content-Length', str(100 * 1024 * 1024))
    connection.endheaders()
    sent = 0
    try:
        while sent < 100 * 1024 * 1024:
            connection.send(b' ' * 65536)
            sent += 65536
    except (BrokenPipeError, ConnectionResetError):
        pass
    try:
        answer = connection.getresponse()
        check(answer.status == 413, f'the answer is {answer.status}')
    except (http.client.HTTPException, ConnectionError):
        check(sent < 100 * 1024 * 1024, 'the whole body was taken')
    finally:
        connection.close()
    wait_until(dev().members, 10, 'the agent answers as before', [dev()])


def test_garbage_is_an_error_in_words():
    """Bad JSON, unknown paths and methods are answered in words, with the right status."""
    ours = {'X-Nomad-Token': token()}
    status, text, _ = request('PUT', '/v1/jobs', {**ours, 'Content-Length': '9'}, b'{"Job": 7')
    check(status == 400 and text.strip(), f'bad JSON gave {status}: {text}')
    check(request('GET', '/v1/nonsense', ours)[0] == 404, 'an unknown path is 404')
    check(request('DELETE', '/v1/nodes', ours)[0] == 405, 'a wrong method is 405')
    check(request('GET', '/v1/job/none', ours)[:2] == (404, 'job not found'), 'an unknown job says so')
