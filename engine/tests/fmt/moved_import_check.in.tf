moved {
from=aws_vpc.a
to=aws_vpc . b [ "k" ]
}
import {
to = aws_vpc.a
id="x"
}
check "c" {
assert {
condition=length( data.x.y )>0
error_message="${var.m}"
}
}
removed {
from=aws_x.y
lifecycle{
destroy=false
}
}
