variable "null" {
  type    = list(string)
  default = null
}

variable "secret" {
  default   = [1]
  sensitive = true
}

resource "aws_security_group" "null" {
  dynamic "ingress" {
    for_each = null

    content {
      from_port = 1
      to_port   = 1
      protocol  = "tcp"
    }
  }
}

resource "aws_security_group" "text" {
  dynamic "ingress" {
    for_each = "text"

    content {
      from_port = 1
      to_port   = 1
      protocol  = "tcp"
    }
  }
}

resource "aws_security_group" "number" {
  dynamic "ingress" {
    for_each = 3

    content {
      from_port = 1
      to_port   = 1
      protocol  = "tcp"
    }
  }
}

resource "aws_security_group" "unknown" {
  dynamic "ingress" {
    for_each = terraform_data.d.output

    content {
      from_port = ingress.value
      to_port   = ingress.value.port
      protocol  = "tcp"
    }
  }
}

resource "aws_security_group" "sensitive" {
  dynamic "ingress" {
    for_each = var.secret

    content {
      from_port = ingress.value
      to_port   = ingress.value
      protocol  = "tcp"
    }
  }
}

resource "terraform_data" "d" {}
