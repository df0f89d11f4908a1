"""The embedded default: AWS on this machine, enough to run the whole loop from `git push` to all traffic.

One rule above all: it never reports a success that it did not earn, and where AWS would refuse, it refuses
with AWS's error code.
"""
