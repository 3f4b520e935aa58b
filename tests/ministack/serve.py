"""Starts ministack, an AWS API server in memory, as its own command does, with the services
completed where topo's tests need more of AWS than it plays: see the complete_* files.
"""

import complete_cloudformation
import complete_ec2
import complete_eks
from ministack import app

if __name__ == "__main__":
    complete_cloudformation.complete()
    complete_ec2.complete()
    complete_eks.complete()
    app.main()
