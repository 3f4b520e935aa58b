"""Completes the CloudFormation of ministack: a CreateStack sent again with its token gets the
answer of the first, as the API reference says:
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
"""

from idempotency import once
from ministack.services import cloudformation


def complete():
    handlers = cloudformation._ACTION_HANDLERS
    handlers["CreateStack"] = once(cloudformation, handlers["CreateStack"], "ClientRequestToken")
