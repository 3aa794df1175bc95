"""`python -m hocba_hub` is the command `hocba-hub`."""

from hocba_hub.cli import main

main(prog_name="hocba-hub")
