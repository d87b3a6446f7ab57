"""`python -m netarium`: the same as the command `netarium`."""

from netarium.operate.cli import main

main()
