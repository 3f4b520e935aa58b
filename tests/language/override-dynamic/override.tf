resource "aws_security_group" "plain_base" {
  dynamic "ingress" {
    for_each = [7, 8, 9]
    content {
      from_port = ingress.value
      to_port   = ingress.value
      protocol  = "tcp"
    }
  }
}

resource "aws_security_group" "dynamic_base" {
  ingress {
    from_port = 5
    to_port   = 5
    protocol  = "tcp"
  }
}
