terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      configuration_aliases = [aws.peer]
    }
  }
}

resource "aws_vpc" "v" {
  provider   = aws.peer
  cidr_block = "10.0.0.0/16"
}
