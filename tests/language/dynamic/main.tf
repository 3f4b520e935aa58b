variable "ports" {
  default = { http = 80, https = 443 }
}

resource "aws_security_group" "map" {
  name = "map"

  dynamic "ingress" {
    for_each = var.ports

    content {
      description = ingress.key
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
    }
  }
}

resource "aws_security_group" "iterator" {
  name = "iterator"

  dynamic "ingress" {
    for_each = toset(["10.0.0.0/8", "10.1.0.0/16"])
    iterator = range

    content {
      from_port   = 1
      to_port     = 1
      protocol    = "tcp"
      cidr_blocks = [range.value, range.key]
    }
  }
}

resource "aws_security_group" "mixed" {
  name = "mixed"

  ingress {
    from_port = 1
    to_port   = 1
    protocol  = "tcp"
  }

  dynamic "ingress" {
    for_each = [2, 3]

    content {
      from_port = ingress.value
      to_port   = ingress.key
      protocol  = "tcp"
    }
  }

  dynamic "ingress" {
    for_each = []

    content {
      from_port = 4
      to_port   = 1
      protocol  = "tcp"
    }
  }
}
