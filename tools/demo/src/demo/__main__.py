"""`python -m demo`: drive realistic traffic through the running stack."""

from demo.cli import run

if __name__ == "__main__":
    run()
