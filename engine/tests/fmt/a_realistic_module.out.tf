terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" { region = var.region }

data "aws_availability_zones" "here" { state = "available" }

resource "aws_subnet" "private" {
  count      = length(data.aws_availability_zones.here.names)
  vpc_id     = aws_vpc.main.id # the only one
  cidr_block = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  tags = merge(var.tags, {
    Name = "${var.name}-${count.index}"
  })

  lifecycle {
    ignore_changes = [tags["x"], tags.y]
  }
}
output "ids" { value = aws_subnet.private[*].id }
