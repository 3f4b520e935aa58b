provider "aws" {
  region = terraform_data.region.output
}

resource "terraform_data" "region" {
  input = "eu-west-1"
}

resource "aws_security_group" "plain_base" {
  ingress {
    from_port = 1
    to_port   = 1
    protocol  = "tcp"
  }
  ingress {
    from_port = 2
    to_port   = 2
    protocol  = "tcp"
  }
  egress {
    from_port = 3
    to_port   = 3
    protocol  = "tcp"
  }
}

resource "aws_security_group" "dynamic_base" {
  dynamic "ingress" {
    for_each = [1, 2]
    content {
      from_port = ingress.value
      to_port   = ingress.value
      protocol  = "tcp"
    }
  }
}

output "plain_base" {
  value = [for i in aws_security_group.plain_base.ingress : i.from_port]
}

output "plain_base_egress" {
  value = [for i in aws_security_group.plain_base.egress : i.from_port]
}

output "dynamic_base" {
  value = [for i in aws_security_group.dynamic_base.ingress : i.from_port]
}
