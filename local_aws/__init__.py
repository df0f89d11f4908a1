"""AWS on this machine: the services that a release needs, from `git push` to all traffic.

It never reports success for work it did not do. Where AWS rejects a request, it does too, with AWS's error
code.
"""
