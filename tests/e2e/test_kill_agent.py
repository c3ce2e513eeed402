"""A short run of kill_agent.py; `tests/show runner` has ten minutes of it."""
import kill_agent


def test_agent_is_killed_at_random_moments():
    """kill -9 of the agent again and again over a mixed load: nothing lost, doubled or left behind."""
    kill_agent.run(15, seed=1)
