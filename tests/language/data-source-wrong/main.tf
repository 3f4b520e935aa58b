data "aws_vpc" "a" {
  count    = 1
  for_each = {}
  cidr     = "x"
}

data "aws_region" "b" {
  provisioner "local-exec" {
    command = "true"
  }
}

data "aws_region" "c" {
  connection {}
}

data "terraform_data" "d" {}
