"""Requests that carry a token and may be sent again."""

from ministack.core.responses import AccountRegionScopedDict


def parameter(params, name):
    value = params.get(name, "")
    return (value or [""])[0] if isinstance(value, list) else value


def once(service, handler, token_name):
    """A handler of `service` that gives a request with the same token the same answer."""
    answered = AccountRegionScopedDict()
    ministack_resets = service.reset

    def handle(params):
        token = parameter(params, token_name)
        if token and token in answered:
            return answered[token]
        answer = handler(params)
        if token and answer[0] == 200:
            answered[token] = answer
        return answer

    def reset():
        ministack_resets()
        answered.clear()

    service.reset = reset
    return handle
