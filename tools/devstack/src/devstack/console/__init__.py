"""Output for the person at the terminal."""
