"""The tokens that agents publish for local users: where they lie, and their end when an agent was killed.

An agent that ends by itself takes its token back; one that was killed cannot. What is removed here is what it
would have removed: the published file, if it still holds the token of that agent's own data directory.
"""
import glob
import os

HTTP_PORT = 4646


def folders(user=None):
    """Where an agent of this user publishes, best first, as gctl/agent/token_file_posix.cc has it."""
    user = os.geteuid() if user is None else user
    runtime = os.environ.get('XDG_RUNTIME_DIR', '')
    found = ['/run/gaggle'] if user == 0 else []
    if runtime.startswith('/'):
        found.append(os.path.join(runtime, 'gaggle'))
    return found + [f'/tmp/gaggle-{user}']


def published_token(address, path_only=False):
    """What a local user finds: the agent's token, or the path of it, by the API's address."""
    paths = [os.path.join(folder, f'{address}_{HTTP_PORT}.token') for folder in folders()]
    path = next(filter(os.path.exists, paths), paths[0])
    if path_only:
        return path
    return text_of(path)


def text_of(path):
    with open(path) as file:
        return file.read().strip()


def withdraw(directory):
    """Removes what the agents with data directories in `directory` have published and left behind."""
    for kept in glob.glob(os.path.join(glob.escape(directory), '*', 'http-token')):
        for folder in folders(os.stat(kept).st_uid):
            for path in glob.glob(os.path.join(folder, '*.token')):
                try:
                    if text_of(path) == text_of(kept):
                        os.unlink(path)
                except FileNotFoundError:
                    pass  # another agent has just taken its own back
