"""What the commands of one step run: they print, and return the exit code."""

import argparse
import json
import sys

from rich.console import Console

from operations import immutable, leftovers, listener_drift, preflight
from operations.account import Account
from operations.clock import clock
from operations.confirmation import confirm
from operations.destroy import destroy
from operations.preflight.check import Subject
from operations.protection import Protection, protect


def run_preflight(options: argparse.Namespace, account: Account) -> int:
    """Run `operations preflight`; return 1 for an error."""
    subject = Subject(options.suffix, account, options.github, context=dict(options.context))
    if options.fix and (done := preflight.fix(account)):
        print(done, file=sys.stderr)
    with clock(f"checking the account for {options.suffix}"):
        found = preflight.inspect(subject)
    if options.json:
        print(json.dumps(found.as_data(), indent=2))
    else:
        preflight.print_report(found, Console())
    return 1 if found.errors else 0


def run_immutable(options: argparse.Namespace, account: Account) -> int:
    """Run `operations immutable`; return 1 for a finding."""
    findings = immutable.find(options.suffix, account, options.templates)
    for finding in findings:
        print(f"operations: {finding}", file=sys.stderr)
    return 1 if findings else 0


def run_drift(options: argparse.Namespace, account: Account) -> int:
    """Run `operations drift`; return 1 for a listener that has drifted and was not repaired."""
    if options.wait:
        with clock(f"waiting for the end of every deployment of {options.suffix}"):
            listener_drift.wait_for_deployments(options.suffix, account, options.wait)
    traffic = listener_drift.inspect(options.suffix, account)
    listener_drift.print_report(traffic, Console())
    if not traffic.drifted:
        return 0
    if not options.repair:
        print(f"python -m operations drift {options.suffix} --repair points them to the PRIMARY task set")
        return 1
    listener_drift.repair(traffic, account, print, dry_run=options.dry_run)
    if options.dry_run:
        return 1
    traffic = listener_drift.inspect(options.suffix, account)
    listener_drift.print_report(traffic, Console())
    return 1 if traffic.drifted else 0


def run_protect(options: argparse.Namespace, account: Account) -> int:
    """Run `operations protect`."""
    protect(Protection(options.suffix, account), print, role=options.role)
    return 0


def run_destroy(options: argparse.Namespace, account: Account) -> int:
    """Run `operations destroy`."""
    where = f"account {account.id}, {account.region}"
    lost = "repository, images, logs, artifacts and secrets"
    print(f"{options.suffix} in {where}: its {lost} are deleted permanently")
    if not options.dry_run:
        confirm(options.suffix, account, options.confirm)
    destroy(options.suffix, account, print, dry_run=options.dry_run)
    return 0


def run_leftovers(options: argparse.Namespace, account: Account) -> int:
    """Run `operations leftovers`; return 1 if something remains."""
    with clock(f"looking for resources of {options.suffix}"):
        found = leftovers.find(options.suffix, account)
    leftovers.print_report(found, Console())
    return 1 if found.remaining else 0
