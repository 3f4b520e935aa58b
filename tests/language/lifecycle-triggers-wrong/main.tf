variable "x" {}

locals {
  l = 1
}

resource "terraform_data" "a" {
  count = 1

  lifecycle {
    replace_triggered_by = [
      var.x,
      local.l,
      data.aws_region.r,
      terraform_data.missing,
      terraform_data.b[each.key],
      terraform_data.b.id + 1,
      "terraform_data.b",
      terraform_data.b[count.index],
      terraform_data.b[var.x],
      self.id,
      module.m,
      null,
      terraform_data.b.nothing,
    ]
  }
}

resource "terraform_data" "b" {
  lifecycle {
    replace_triggered_by = terraform_data.a
  }
}

data "aws_region" "r" {}
