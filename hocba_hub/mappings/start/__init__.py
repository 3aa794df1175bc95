"""A first draft of a mapping: `sample.py` what a sample holds, `guess.py` what that may be, `written.py` the draft."""
