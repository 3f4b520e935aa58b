resource "terraform_data" "a" {
  input = terraform_data.b.id
}

resource "terraform_data" "b" {
  input = local.c
}

locals {
  c = [for x in data.aws_region.r : x]
}

data "aws_region" "r" {
  depends_on = [terraform_data.a]
}

resource "terraform_data" "depends" {
  depends_on = [terraform_data.on]
}

resource "terraform_data" "on" {
  depends_on = [terraform_data.depends]
}

resource "terraform_data" "counted" {
  count = length(terraform_data.counted)
}
