"""What a listener does with a request: the action of the rule that matches it."""

from collections.abc import Iterable, Mapping

from aiohttp import web

from local_aws.services.elbv2.headers import refused_with
from local_aws.services.elbv2.metrics import Metrics
from local_aws.services.elbv2.proxy import Forwarder
from local_aws.services.elbv2.records import Listener
from local_aws.services.elbv2.responses import SERVER, error_page, fixed_response, redirect
from local_aws.services.elbv2.routing import RequestAttributes, WeightedChoice, choose_action, weights
from local_aws.services.elbv2.targets import GroupState


class Dispatcher:
    """Answers requests by the listeners' rules, from the targets of `groups`."""

    def __init__(self, groups: Mapping[str, GroupState], forwarder: Forwarder, metrics: Metrics) -> None:
        self.groups = groups
        self.forwarder = forwarder
        self.metrics = metrics
        self._choices: dict[str, WeightedChoice] = {}

    async def answer(self, request: web.BaseRequest, listener: Listener) -> web.StreamResponse:
        """Return the response to a request."""
        response = await self._answer(request, listener)
        if response.headers.get("Server") == SERVER and response.status >= 400:
            self.metrics.count_error(listener.load_balancer, response.status)
        return response

    def keep_only(self, listeners: Iterable[str]) -> None:
        """Drop the state of every listener that is not among these ARNs."""
        self._choices = {arn: self._choices[arn] for arn in listeners if arn in self._choices}

    async def _answer(self, request: web.BaseRequest, listener: Listener) -> web.StreamResponse:
        if status := refused_with(request):
            return error_page(status)
        attributes = RequestAttributes(request.method, request.host, request.path, request.headers)
        action = choose_action(listener, attributes)
        if action["Type"] == "fixed-response":
            return fixed_response(action["FixedResponseConfig"])
        if action["Type"] == "redirect":
            return redirect(action["RedirectConfig"], request, listener)
        choice = self._choices.setdefault(listener.arn, WeightedChoice())
        chosen = choice.choose(weights(action))
        group = self.groups.get(chosen) if chosen else None
        if group is None:
            return error_page(503)
        return await self.forwarder.forward(request, listener, group)
