resource "aws_security_group" "a" {
  name = "a"

  dynamic "ingress" {
    content {
      from_port = 1
    }
  }

  dynamic "ingress" {
    for_each = [1]
  }

  dynamic "ingress" {
    for_each = [1]
    iteratr  = x

    content {}

    content {}

    other {}
  }

  dynamic "ingress" {
    for_each = [1]
    iterator = "quoted"

    content {
      from_port = 1
      to_port   = 1
      protocol  = "tcp"
    }
  }

  dynamic "ingress" {
    for_each = [1]
    iterator = a.b

    content {
      from_port = 1
      to_port   = 1
      protocol  = "tcp"
    }
  }

  dynamic {
    for_each = [1]
    content {}
  }

  dynamic "lifecycle" {
    for_each = [1]
    content {}
  }
}
