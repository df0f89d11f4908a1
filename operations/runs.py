"""What the commands of one step run: they print, and return the exit code."""

import argparse
import sys

from rich.console import Console

from operations import immutable, leftovers, listener_drift, preflight
from operations.account import Account
from operations.clock import clock
from operations.command_line import Output, print_json
from operations.confirmation import confirm
from operations.destroy import destroy
from operations.listener_drift import Traffic
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
        print_json(found.as_data())
    else:
        preflight.print_report(found, Console())
    return 1 if found.errors else 0


def run_immutable(options: argparse.Namespace, account: Account) -> int:
    """Run `operations immutable`; return 1 for a finding."""
    findings = immutable.find(options.suffix, account, options.templates)
    if options.json:
        print_json({"suffix": options.suffix, "findings": [str(finding) for finding in findings]})
    else:
        for finding in findings:
            print(f"operations: {finding}", file=sys.stderr)
    return 1 if findings else 0


def run_drift(options: argparse.Namespace, account: Account) -> int:
    """Run `operations drift`; return 1 for a listener that has drifted and was not repaired."""
    output = Output(options)
    if options.wait:
        with clock(f"waiting for the end of every deployment of {options.suffix}"):
            listener_drift.wait_for_deployments(options.suffix, account, options.wait)
    traffic = _inspect_traffic(options, account)
    if traffic.drifted and options.repair:
        listener_drift.repair(traffic, account, output.log, dry_run=options.dry_run)
        if not options.dry_run:
            traffic = _inspect_traffic(options, account)
    elif traffic.drifted:
        output.log(
            f"python -m operations drift {options.suffix} --repair points them to the PRIMARY task set"
        )
    output.end(**traffic.as_data())
    return 1 if traffic.drifted else 0


def _inspect_traffic(options: argparse.Namespace, account: Account) -> Traffic:
    traffic = listener_drift.inspect(options.suffix, account)
    if not options.json:
        listener_drift.print_report(traffic, Console())
    return traffic


def run_protect(options: argparse.Namespace, account: Account) -> int:
    """Run `operations protect`."""
    output = Output(options)
    policy = protect(
        Protection(options.suffix, account), output.log, role=options.role, dry_run=options.dry_run
    )
    if not options.role and not options.json:
        print_json(policy)
    output.end(suffix=options.suffix, policy=policy, role=options.role, dry_run=options.dry_run)
    return 0


def run_destroy(options: argparse.Namespace, account: Account) -> int:
    """Run `operations destroy`."""
    where = f"account {account.id}, {account.region}"
    lost = "repository, images, logs, artifacts and secrets"
    output = Output(options)
    output.log(f"{options.suffix} in {where}: its {lost} are deleted permanently")
    if not options.dry_run:
        confirm(options.suffix, account, options.confirm)
    # The CDK CLI prints to standard output, too, which is the document's.
    cdk_log = sys.stderr if options.json else None
    destroy(options.suffix, account, output.log, dry_run=options.dry_run, cdk_log=cdk_log)
    output.end(suffix=options.suffix, account=account.id, dry_run=options.dry_run)
    return 0


def run_leftovers(options: argparse.Namespace, account: Account) -> int:
    """Run `operations leftovers`; return 1 if something remains."""
    with clock(f"looking for resources of {options.suffix}"):
        found = leftovers.find(options.suffix, account)
    if options.json:
        print_json(found.as_data())
    else:
        leftovers.print_report(found, Console())
    return 1 if found.remaining else 0
