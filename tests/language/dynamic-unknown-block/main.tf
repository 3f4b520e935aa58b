resource "aws_security_group" "a" {
  name = "a"

  dynamic "ingres" {
    for_each = [1]

    content {
      from_port = ingres.value
    }
  }

  dynamic "tags" {
    for_each = [1]

    content {
      a = 1
    }
  }

  dynamic "egress" {
    for_each = [1]

    content {
      from_prt = 1
      to_port  = "many"
      protocol = egress.vaule
    }
  }
}
